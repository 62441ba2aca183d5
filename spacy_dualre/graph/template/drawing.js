// Drawing. Nodes have world coordinates, and all sizes are in screen pixels
const screen = (node) => [(node.x - view.x) * view.zoom + canvas.clientWidth / 2, (node.y - view.y) * view.zoom + canvas.clientHeight / 2];
const size = (node) => node.size * Math.min(1.4, Math.max(0.45, Math.sqrt(view.zoom)));

function curve(edge) {
  const [x0, y0] = screen(edge.from);
  const [x1, y1] = screen(edge.to);
  if (edge.from === edge.to) {
    const r = size(edge.from) + 9 + 9 * Math.abs(edge.bend);
    return [[x0 - 4, y0], [x0 - 2 * r, y0 - 2.4 * r], [x0 + 2 * r, y0 - 2.4 * r], [x0 + 4, y0]];
  }
  const length = Math.hypot(x1 - x0, y1 - y0) || 1;
  const side = edge.bend * Math.min(46, length / 3);
  const [nx, ny] = [(-(y1 - y0) / length) * side, ((x1 - x0) / length) * side];
  const at = (part) => [x0 + (x1 - x0) * part + nx, y0 + (y1 - y0) * part + ny];
  return [[x0, y0], at(1 / 3), at(2 / 3), [x1, y1]];
}

function point(points, t) {
  const weights = [(1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t ** 2, t ** 3];
  return [0, 1].map((axis) => weights.reduce((sum, weight, index) => sum + weight * points[index][axis], 0));
}

let waiting = false;
function draw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; paint(); });
}

function paint() {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  brush.setTransform(ratio, 0, 0, ratio, 0, 0);
  brush.clearRect(0, 0, width, height);
  brush.lineCap = "round";
  const visible = (points) => [0, 1].every((axis) => Math.max(...points.map((p) => p[axis])) > -20 && Math.min(...points.map((p) => p[axis])) < [width, height][axis] + 20);
  const drawn = edges.filter((edge) => edge.shown).map((edge) => ({ edge, points: curve(edge) })).filter(({ points }) => visible(points));
  // The selection is drawn last, on top of everything else
  const front = ({ edge }) => edge === state.over || (near !== null && near.has(edge));
  drawn.filter((one) => !front(one)).forEach(({ edge, points }) => paintEdge(edge, points, near ? 0.1 : 0.55, drawn.length));
  drawn.filter(front).forEach(({ edge, points }) => paintEdge(edge, points, 1, 0));
  const seen = ranked.filter((node) => node.shown && visible([screen(node)]));
  [...seen].reverse().forEach((node) => paintNode(node));
  paintLabels(seen, drawn);
}

function paintEdge(edge, points, alpha, crowd) {
  const [a, b, c, d] = points;
  const width = (crowd > 600 ? 0.8 : 1.2) + Math.min(3, 0.8 * Math.log2(edge.sentences));
  brush.globalAlpha = alpha;
  brush.strokeStyle = brush.fillStyle = predicates.get(edge.predicate).color;
  brush.lineWidth = alpha === 1 ? width + 1 : width;
  brush.beginPath();
  brush.moveTo(...a);
  brush.bezierCurveTo(...b, ...c, ...d);
  brush.stroke();
  if (!edge.symmetric && (crowd < 400 || view.zoom > 0.7)) paintArrow(points, size(edge.to) + 2, 6 + width);
  brush.globalAlpha = 1;
}

function paintArrow(points, gap, length) {
  // Where the curve enters the node
  let t = 1;
  while (t > 0.5 && Math.hypot(...point(points, t).map((value, axis) => value - points[3][axis])) < gap) t -= 0.02;
  const [x, y] = point(points, t);
  const [px, py] = point(points, t - 0.04);
  const angle = Math.atan2(y - py, x - px);
  brush.beginPath();
  brush.moveTo(x, y);
  [-0.42, 0.42].forEach((turn) => brush.lineTo(x - length * Math.cos(angle + turn), y - length * Math.sin(angle + turn)));
  brush.fill();
}

function paintNode(node) {
  const [x, y] = screen(node);
  brush.globalAlpha = near && !near.has(node) ? 0.18 : 1;
  brush.beginPath();
  brush.arc(x, y, size(node), 0, 7);
  brush.fillStyle = types.get(node.type).color;
  brush.fill();
  brush.lineWidth = 1.5;
  brush.strokeStyle = "#fff";
  brush.stroke();
  if (node === state.selected || node === state.over || found.has(node)) {
    brush.globalAlpha = near && !near.has(node) ? 0.35 : 1;
    brush.beginPath();
    brush.arc(x, y, size(node) + 4, 0, 7);
    brush.lineWidth = 2.5;
    brush.strokeStyle = found.has(node) ? "#e0a100" : "#1f2933";
    brush.stroke();
  }
  brush.globalAlpha = 1;
}

function paintLabels(seen, drawn) {
  const taken = [];
  const sure = (thing) => thing === state.selected || thing === state.over;
  const early = (node) => sure(node) || (!near && found.has(node));
  const wanted = seen.filter((node) => early(node) || !near || near.has(node));
  const words = (text) => (text.length > 32 ? text.slice(0, 30) + "\u2026" : text);
  brush.textBaseline = "middle";
  brush.textAlign = "center";
  const write = (text, x, y, font, fill, force) => {
    brush.font = font;
    const half = brush.measureText(text).width / 2 + 3;
    const box = [x - half, y - 8, x + half, y + 8];
    if (!force && taken.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1])) return false;
    taken.push(box);
    brush.lineWidth = 4;
    brush.lineJoin = "round";
    brush.strokeStyle = "rgba(247, 248, 250, 0.9)";
    brush.strokeText(text, x, y);
    brush.fillStyle = fill;
    brush.fillText(text, x, y);
    return true;
  };
  const name = (node) => {
    const [x, y] = screen(node);
    write(words(node.label), x, y + size(node) + 10, `${early(node) ? 600 : 500} 12px ${FONT}`, "#1f2933", sure(node));
  };
  wanted.sort((a, b) => sure(b) - sure(a) || early(b) - early(a));
  wanted.slice(0, 12).forEach(name);
  // From here on, labels do not cover large nodes either
  seen.slice(0, 300).forEach((node) => {
    const [x, y] = screen(node);
    const r = size(node) * 0.8;
    taken.push([x - r, y - r, x + r, y + r]);
  });
  wanted.slice(12).forEach(name);
  drawn.forEach(({ edge, points }) => {
    const marked = edge === state.over || (near && near.has(edge));
    const length = Math.hypot(points[3][0] - points[0][0], points[3][1] - points[0][1]);
    if (!marked && (near || length < 90 || drawn.length > 150)) return;
    const fill = predicates.get(edge.predicate).color;
    [0.5, 0.38, 0.62].some((t) => write(words(edge.predicate), ...point(points, t), `500 11px ${FONT}`, fill, sure(edge)));
  });
}
