// The data and what is derived from it
const { nodes, edges } = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const canvas = byId("graph");
const brush = canvas.getContext("2d");
const FONT = "system-ui, 'Segoe UI', Roboto, Arial, sans-serif";
const TYPE_COLORS = ["#2f6db5", "#d0582f", "#2f9468", "#8757b2", "#c2912a", "#b63f7a", "#3a9cb3", "#7b6854", "#6f9130", "#5b6b7d"];
const PREDICATE_COLORS = ["#64748b", "#b4483f", "#2f8577", "#9a74c4", "#a9822a", "#578a38", "#bd6395", "#4583c0", "#8a6a4e", "#4c51a8"];
const color = (palette, index) => palette[index] || `hsl(${(index * 137.5) % 360} 45% 48%)`;

function options(values, palette) {
  const counts = new Map();
  values.forEach((value) => counts.set(value, (counts.get(value) || 0) + 1));
  const sorted = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return new Map(sorted.map(([value, count], index) => [value, { count, color: color(palette, index), on: true }]));
}
const types = options(nodes.map((node) => node.type), TYPE_COLORS);
const predicates = options(edges.map((edge) => edge.predicate), PREDICATE_COLORS);

nodes.forEach((node) => Object.assign(node, { edges: [], text: [node.label, node.concept, ...node.forms.map(([form]) => form)].join("\n").toLowerCase() }));
const bundles = new Map();
edges.forEach((edge) => {
  edge.from = nodes[edge.subject];
  edge.to = nodes[edge.object];
  new Set([edge.from, edge.to]).forEach((node) => node.edges.push(edge));
  const pair = [edge.subject, edge.object].sort((a, b) => a - b).join();
  bundles.set(pair, [...(bundles.get(pair) || []), edge]);
});
// Edges between the same two nodes bend apart
bundles.forEach((bundle) => bundle.forEach((edge, index) => {
  edge.bend = (index - (bundle.length - 1) / 2) * (edge.subject <= edge.object ? 1 : -1);
}));
nodes.forEach((node) => { node.size = 5 + Math.min(14, 2.2 * Math.sqrt(node.edges.length)); });
const ranked = [...nodes].sort((a, b) => b.edges.length - a.edges.length);

// What is shown
const view = { x: 0, y: 0, zoom: 1 };
const state = { score: 0, support: 1, search: "", selected: null, over: null };
const isNode = (thing) => thing !== null && "label" in thing;
let found = new Set();
let near = null;

function filter() {
  nodes.forEach((node) => { node.shown = false; });
  edges.forEach((edge) => {
    edge.shown = predicates.get(edge.predicate).on && types.get(edge.from.type).on && types.get(edge.to.type).on &&
      edge.score >= state.score && edge.sentences >= state.support;
    if (edge.shown) edge.from.shown = edge.to.shown = true;
  });
  if (state.selected && !state.selected.shown) select(null);
  const count = (things) => things.filter((thing) => thing.shown).length;
  byId("status").textContent = `${count(edges)} of ${edges.length} relations between ${count(nodes)} of ${nodes.length} concepts`;
  search();
}

function search() {
  const words = state.search.toLowerCase().trim();
  const matches = words ? ranked.filter((node) => node.shown && node.text.includes(words)) : [];
  const starts = (node) => node.text.startsWith(words);
  matches.sort((a, b) => starts(b) - starts(a));
  found = new Set(matches);
  const list = matches.slice(0, 12).map((node) => item(node, plural(node.edges.filter((edge) => edge.shown).length, "relation")));
  if (words) list.push(make("li", { className: "quiet" }, matches.length > 12 ? `and ${matches.length - 12} more` : matches.length ? "" : "Nothing found"));
  byId("found").replaceChildren(...list);
  draw();
}

function select(thing) {
  state.selected = thing;
  near = null;
  if (thing && isNode(thing)) near = new Set([thing, ...thing.edges.filter((edge) => edge.shown).flatMap((edge) => [edge, edge.from, edge.to])]);
  else if (thing) near = new Set([thing, thing.from, thing.to]);
  describe();
  draw();
}
