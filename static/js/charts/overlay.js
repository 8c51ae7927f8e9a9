// Emphasis of one trial, drawn above the plot: nothing of Plotly is drawn again for a hover.

const SVG = "http://www.w3.org/2000/svg";

export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  element.append(...children);
  return element;
}

/** "x2" as the layout calls it: "xaxis2". */
function axisName(id) {
  return `${id[0]}axis${id.slice(1)}`;
}

/** Pieces of a drawn figure by trial number: {kind, xs, ys, across, axis} in data coordinates. */
export function pieces(data) {
  const found = new Map();
  data.forEach((trace) => {
    if (!trace.customdata || trace.type !== "scatter") return;
    const kind = trace.mode.includes("lines") ? "line" : "dot";
    let current = null;
    let previous = null;
    trace.customdata.forEach((number, i) => {
      if (number === null || number === undefined) {
        previous = null;
        return;
      }
      if (number !== previous || kind === "dot") {
        current = { kind, xs: [], ys: [], across: axisName(trace.xaxis || "x"), axis: axisName(trace.yaxis || "y") };
        if (!found.has(number)) found.set(number, []);
        found.get(number).push(current);
      }
      current.xs.push(trace.x[i]);
      current.ys.push(trace.y[i]);
      previous = number;
    });
  });
  return found;
}

/** Pixels in the plot element of a piece's points; null where a value has no place. */
export function pixels(gd, piece) {
  const layout = gd._fullLayout;
  const [xaxis, yaxis] = [layout[piece.across], layout[piece.axis]];
  return piece.xs.map((x, i) => {
    const y = piece.ys[i];
    const place = y === null ? NaN : yaxis._offset + yaxis.d2p(y);
    return Number.isFinite(place) ? [xaxis._offset + xaxis.d2p(x), place] : null;
  });
}

function path(points) {
  let pen = "M";
  return points
    .map((point) => {
      if (!point) {
        pen = "M";
        return "";
      }
      const step = `${pen}${point[0].toFixed(1)} ${point[1].toFixed(1)}`;
      pen = "L";
      return step;
    })
    .join("");
}

/** The pieces with their pixels, which hold until the next draw, zoom or resize. */
export function place(gd, found) {
  found.forEach((own) => {
    own.forEach((piece) => {
      piece.points = pixels(gd, piece);
    });
  });
}

/** Draw the (placed) pieces of the emphasised trial into `layer`, an svg element over the plot. */
export function emphasise(layer, gd, own) {
  layer.replaceChildren();
  if (!own || !gd._fullLayout) return;
  const size = gd._fullLayout._size;
  const air = 10;
  const box = { x: size.l - air, y: size.t - air, width: size.w + 2 * air, height: size.h + 2 * air };
  const view = svg("svg", { ...box, viewBox: `${box.x} ${box.y} ${box.width} ${box.height}` });
  own.forEach(({ kind, points }) => {
    if (kind === "line" && points.length > 1) {
      const d = path(points);
      view.append(svg("path", { d, class: "chart-halo" }), svg("path", { d, class: "chart-lifted" }));
    } else if (points[0]) {
      const [cx, cy] = points[0];
      view.append(svg("circle", { cx, cy, r: 7.5, class: "chart-ring" }));
    }
  });
  layer.append(view);
}

const LINE_REACH = 7;
const DOT_REACH = 14;

/** The (placed) trial whose dot or line is nearest to (x, y): {number, piece, index of the nearest
    point}, or null when none is near. */
export function nearest(found, x, y) {
  let best = null;
  let least = Infinity;
  const offer = (distance, reach, number, piece, index) => {
    // Dots reach further than lines, so the two are compared by their share of the reach.
    if (distance > reach || distance / reach >= least) return;
    least = distance / reach;
    best = { number, piece, index };
  };
  found.forEach((own, number) => {
    own.forEach((piece) => {
      const { points } = piece;
      if (points.length === 1 && points[0]) {
        offer(Math.hypot(x - points[0][0], y - points[0][1]), DOT_REACH, number, piece, 0);
      }
      for (let i = 1; i < points.length; i += 1) {
        const [a, b] = [points[i - 1], points[i]];
        if (!a || !b || x < a[0] - LINE_REACH || x > b[0] + LINE_REACH) continue;
        const index = x - a[0] < b[0] - x ? i - 1 : i;
        offer(toSegment(x, y, a, b), LINE_REACH, number, piece, index);
      }
    });
  });
  return best;
}

function toSegment(x, y, [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const share = length ? Math.min(Math.max(((x - ax) * dx + (y - ay) * dy) / length, 0), 1) : 0;
  return Math.hypot(x - ax - share * dx, y - ay - share * dy);
}
