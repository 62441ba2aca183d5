// The panels beside the graph. Everything is set as text, never as HTML
function make(tag, values = {}, ...children) {
  const element = Object.assign(document.createElement(tag), values);
  element.append(...children);
  return element;
}
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
function swatch(className, fill) {
  const element = make("span", { className });
  element.style.background = fill;
  return element;
}
const dot = (node) => swatch("dot", types.get(node.type).color);

function button(className, action, ...children) {
  const element = make("button", { type: "button", className }, ...children);
  element.addEventListener("click", action);
  return element;
}
function item(node, note) {
  return make("li", {}, button("", () => { select(node); fit([...near].filter(isNode)); }, dot(node), node.label, make("small", {}, note)));
}

function describe() {
  const thing = state.selected;
  const parts = !thing ? help() : isNode(thing) ? describeNode(thing) : describeEdge(thing);
  byId("details").replaceChildren(...parts);
  byId("details").scrollTop = 0;
}

function help() {
  return [
    make("h2", {}, "Evidence"),
    make("p", { className: "quiet" }, "Click a line to read its supporting sentences, or a circle to see its neighbours."),
    make("p", { className: "quiet" }, "Drag to pan, scroll to zoom. Circles grow with the number of relations, lines with the number of sentences."),
  ];
}

function describeNode(node) {
  const shown = node.edges.filter((edge) => edge.shown).sort((a, b) => b.pooled - a.pooled || b.sentences - a.sentences);
  const relation = (edge) => make("li", {}, button("", () => select(edge), swatch("line", predicates.get(edge.predicate).color),
    make("span", {}, `${edge.from.label} `, make("em", {}, edge.predicate), ` ${edge.to.label}`), make("small", {}, edge.pooled.toFixed(2))));
  return [
    make("h2", {}, node.label),
    make("p", { className: "predicate" }, dot(node), node.type),
    make("p", { className: "quiet" }, `${node.concept}, ${plural(node.mentions, "mention")} in ${plural(node.documents, "document")}`),
    make("h3", {}, plural(shown.length, "relation")),
    make("ul", { className: "list" }, ...shown.map(relation)),
    make("h3", {}, "Surface forms"),
    make("table", {}, ...node.forms.map(([form, count]) => make("tr", {}, make("td", {}, form), make("td", {}, count)))),
  ];
}

function describeEdge(edge) {
  const end = (node) => button("triple", () => select(node), dot(node), make("strong", {}, node.label));
  const more = edge.sentences - edge.evidence.length;
  return [
    make("h2", {}, end(edge.from), make("div", { className: "predicate" }, swatch("line", predicates.get(edge.predicate).color), edge.predicate), end(edge.to)),
    make("p", { className: "quiet" }, `${plural(edge.sentences, "sentence")} in ${plural(edge.documents, "document")}; ` +
      `best score ${edge.score.toFixed(2)}, pooled ${edge.pooled.toFixed(2)}`),
    ...edge.evidence.map((evidence) => describeEvidence(edge, evidence)),
    ...(more ? [make("p", { className: "quiet" }, `${plural(more, "more sentence")} not kept`)] : []),
  ];
}

function describeEvidence(edge, [doc, score, pieces]) {
  const sentence = pieces.map(([text, role]) => {
    if (!role) return text;
    const fill = types.get((role === "o" ? edge.to : edge.from).type).color;
    const mark = make("mark", { className: role, title: { s: "subject", o: "object", so: "subject and object" }[role] }, text);
    mark.style.borderColor = fill;
    mark.style.backgroundColor = `color-mix(in srgb, ${fill} 16%, white)`;
    return mark;
  });
  const footer = make("footer", {}, make("span", {}, doc), make("span", {}, `score ${score.toFixed(2)}`));
  return make("article", { className: "evidence" }, make("p", {}, ...sentence), footer);
}
