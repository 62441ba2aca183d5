// Pan and zoom
function center(things) {
  const xs = things.map((node) => node.x);
  const ys = things.map((node) => node.y);
  view.x = (Math.min(...xs) + Math.max(...xs)) / 2;
  view.y = (Math.min(...ys) + Math.max(...ys)) / 2;
  draw();
}
function fit(things = nodes.filter((node) => node.shown)) {
  if (!things.length) return;
  center(things);
  const span = (axis) => Math.max(...things.map((node) => node[axis])) - Math.min(...things.map((node) => node[axis])) + 1;
  view.zoom = Math.min(2, (canvas.clientWidth - 120) / span("x"), (canvas.clientHeight - 100) / span("y"));
  draw();
}
function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
  const before = view.zoom;
  view.zoom = Math.min(8, Math.max(0.02, before * factor));
  view.x += (x - canvas.clientWidth / 2) * (1 / before - 1 / view.zoom);
  view.y += (y - canvas.clientHeight / 2) * (1 / before - 1 / view.zoom);
  draw();
}

function hit(x, y) {
  const distance = ([px, py]) => Math.hypot(px - x, py - y);
  const node = nodes.find((node) => node.shown && distance(screen(node)) <= size(node) + 3);
  if (node) return node;
  let best = null;
  let least = 6;
  edges.filter((edge) => edge.shown).forEach((edge) => {
    const points = curve(edge);
    const steps = Math.min(200, Math.ceil(distance(points[0]) + distance(points[3])) / 4);
    const reach = Math.hypot(points[3][0] - points[0][0], points[3][1] - points[0][1]) + 140;
    if (distance(points[0]) > reach) return;
    for (let step = 0; step <= steps; step++) {
      const away = distance(point(points, step / steps));
      if (away < least) [best, least] = [edge, away];
    }
  });
  return best;
}

let held = null;
const place = (event) => [event.offsetX, event.offsetY];
canvas.addEventListener("pointerdown", (event) => {
  const thing = hit(...place(event));
  held = { x: event.offsetX, y: event.offsetY, thing, moved: false };
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener("pointermove", (event) => {
  const [x, y] = place(event);
  if (!held) return hover(hit(x, y), x, y);
  const [dx, dy] = [(x - held.x) / view.zoom, (y - held.y) / view.zoom];
  if (!held.moved && Math.hypot(x - held.x, y - held.y) < 4) return;
  held.moved = true;
  hover(null);
  canvas.classList.add("moving");
  const target = held.thing && isNode(held.thing) ? held.thing : null;
  if (target) { target.x += dx; target.y += dy; } else { view.x -= dx; view.y -= dy; }
  [held.x, held.y] = [x, y];
  draw();
});
canvas.addEventListener("pointerup", () => {
  if (held && !held.moved) select(held.thing);
  held = null;
  canvas.classList.remove("moving");
});
canvas.addEventListener("pointercancel", () => { held = null; });
canvas.addEventListener("pointerleave", () => hover(null));
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY / 500), ...place(event));
}, { passive: false });

function hover(thing, x = 0, y = 0) {
  const tip = byId("tip");
  canvas.classList.toggle("over", thing !== null);
  tip.hidden = thing === null;
  if (thing) {
    tip.textContent = isNode(thing) ? `${thing.label} (${thing.type}), ${plural(thing.edges.length, "relation")}`
      : `${thing.from.label} ${thing.predicate} ${thing.to.label}: ${plural(thing.sentences, "sentence")}, ${thing.pooled.toFixed(2)}`;
    tip.style.left = `${Math.min(x + 14, canvas.clientWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.min(y + 16, canvas.clientHeight - tip.offsetHeight - 8)}px`;
  }
  if (thing !== state.over) { state.over = thing; draw(); }
}

const keys = {
  ArrowLeft: () => { view.x -= 60 / view.zoom; draw(); }, ArrowRight: () => { view.x += 60 / view.zoom; draw(); },
  ArrowUp: () => { view.y -= 60 / view.zoom; draw(); }, ArrowDown: () => { view.y += 60 / view.zoom; draw(); },
  "+": () => zoom(1.3), "=": () => zoom(1.3), "-": () => zoom(1 / 1.3), 0: () => fit(),
};
canvas.addEventListener("keydown", (event) => {
  if (keys[event.key] && !event.ctrlKey && !event.metaKey) { event.preventDefault(); keys[event.key](); }
});
document.addEventListener("keydown", (event) => { if (event.key === "Escape") select(null); });

// The filters
function checkboxes(id, values, className) {
  const rows = [...values].map(([name, option]) => {
    const box = make("input", { type: "checkbox", checked: true });
    box.addEventListener("change", () => { option.on = box.checked; filter(); });
    option.box = box;
    return make("label", { className: "option" }, box, swatch(className, option.color), make("span", {}, name), make("span", { className: "count" }, option.count));
  });
  byId(id).append(...rows);
  document.querySelectorAll(`[data-for="${id}"]`).forEach((element) => element.addEventListener("click", () => {
    values.forEach((option) => { option.on = option.box.checked = element.className === "all"; });
    filter();
  }));
}
function slider(id, digits) {
  const input = byId(id);
  const update = () => {
    state[id] = Number(input.value);
    byId(`${id}-value`).textContent = state[id].toFixed(digits);
    filter();
  };
  input.addEventListener("input", update);
  byId(`${id}-value`).textContent = Number(input.value).toFixed(digits);
}
checkboxes("predicates", predicates, "line");
checkboxes("types", types, "dot");
slider("score", 2);
byId("support").max = Math.max(1, ...edges.map((edge) => edge.sentences));
slider("support", 0);
byId("search").addEventListener("input", (event) => { state.search = event.target.value; search(); });
byId("search").addEventListener("keydown", (event) => {
  const first = byId("found").querySelector("button");
  if (event.key === "Enter" && first) first.click();
});
byId("in").addEventListener("click", () => zoom(1.3));
byId("out").addEventListener("click", () => zoom(1 / 1.3));
byId("fit").addEventListener("click", () => fit());
new ResizeObserver(draw).observe(canvas);
describe();
filter();
fit();
