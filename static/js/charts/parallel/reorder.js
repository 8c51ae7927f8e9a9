// The name of an axis: dragged sideways, or moved by Ctrl and an arrow, it takes another place;
// Enter or a click opens the axis's own small form.

import { isChosen, isEmpty } from "./axes.js";
import { orderOf, setOrder } from "./order.js";

const DRAG_PX = 5;

function words(axis, condition) {
  if (isEmpty(condition)) return "all values";
  const said = condition.spans.map(([low, high]) => {
    if (low === null) return `up to ${high}`;
    return high === null ? `${low} and more` : `${low} to ${high}`;
  });
  const chosen = (axis.categories || []).filter((category) => isChosen(condition, category));
  said.push(...chosen.map(({ text }) => text));
  if (condition.missing) said.push("no value");
  return said.join(" or ");
}

export function nameable(parallel, key, zone) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "axis-name";
  button.dataset.key = key;
  button.setAttribute("aria-haspopup", "dialog");
  parallel.layer.append(button);
  button.addEventListener("click", () => {
    if (!button.wasDragged) parallel.edit(zone);
    button.wasDragged = false;
  });
  button.addEventListener("keydown", (event) => step(parallel, zone, event));
  button.addEventListener("pointerdown", (event) => drag(parallel, zone, event));
  return {
    button,
    /** Over the title that the figure draws. */
    place(gd, index) {
      const titles = gd.querySelectorAll(`.annotation[data-index="${2 * index}"], .annotation[data-index="${2 * index + 1}"]`);
      const boxes = [...titles].map((title) => title.getBoundingClientRect());
      if (!boxes.length) return;
      const frame = parallel.layer.getBoundingClientRect();
      const [left, top] = ["left", "top"].map((side) => Math.min(...boxes.map((box) => box[side])));
      const [right, bottom] = ["right", "bottom"].map((side) => Math.max(...boxes.map((box) => box[side])));
      const width = Math.max(right - left + 12, 44);
      button.style.left = `${(left + right) / 2 - frame.left - width / 2 - zone.shift}px`;
      button.style.top = `${top - frame.top - 3}px`;
      button.style.width = `${width}px`;
      button.style.height = `${bottom - top + 6}px`;
    },
    describe(axis, condition) {
      button.setAttribute("aria-label", `${axis.name}, ${axis.kind}: ${words(axis, condition)}`);
      button.title = `${axis.name}: click to set a range, drag or Ctrl and arrow keys to move`;
      button.classList.toggle("is-set", !isEmpty(condition));
    },
  };
}

function step(parallel, { axis }, event) {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!by || !event.ctrlKey) return;
  event.preventDefault();
  const order = orderOf(parallel);
  const at = order.indexOf(axis.word);
  const to = at + by;
  if (to < 0 || to >= order.length) return;
  order.splice(to, 0, ...order.splice(at, 1));
  parallel.said.textContent = `${axis.name} is axis ${to + 1} of ${order.length}`;
  setOrder(parallel, order);
}

function drag(parallel, { axis, name: { button } }, event) {
  if (event.button !== 0 || parallel.chart.held) return;
  const { xaxis } = parallel.chart.gd._fullLayout;
  const frame = parallel.layer.getBoundingClientRect();
  const centers = parallel.axes.map((_, i) => xaxis._offset + xaxis.d2p(i));
  const at = parallel.axes.indexOf(axis);
  let ghost = null;
  let mark = null;
  let to = at;
  button.setPointerCapture(event.pointerId);

  const begin = () => {
    parallel.chart.hold();
    parallel.chart.leave();
    ghost = document.createElement("div");
    ghost.className = "axis-ghost";
    ghost.textContent = axis.name;
    mark = document.createElement("div");
    mark.className = "axis-mark";
    mark.style.top = `${parallel.top}px`;
    parallel.layer.append(ghost, mark);
    button.classList.add("is-dragged");
  };
  const move = (e) => {
    if (!ghost && Math.abs(e.clientX - event.clientX) <= DRAG_PX) return;
    if (!ghost) begin();
    const x = e.clientX - frame.left;
    ghost.style.left = `${x}px`;
    // Where it would stand: among the others, left of the first one that is further right.
    const others = centers.filter((_, i) => i !== at);
    to = others.filter((center) => center < x).length;
    const [left = others[0] - 48, right = others.at(-1) + 48] = [others[to - 1], others[to]];
    mark.style.left = `${(left + right) / 2}px`;
  };
  const end = (commit) => {
    ["pointermove", "pointerup", "pointercancel"].forEach((kind) => button.removeEventListener(kind, on[kind]));
    document.removeEventListener("keydown", key, true);
    if (!ghost) return;
    ghost.remove();
    mark.remove();
    button.classList.remove("is-dragged");
    button.wasDragged = true;
    setTimeout(() => (button.wasDragged = false));
    parallel.chart.release();
    if (!commit || to === at) return;
    const order = parallel.axes.map(({ word }) => word);
    order.splice(to, 0, ...order.splice(at, 1));
    setOrder(parallel, order);
  };
  const key = (e) => {
    if (e.key !== "Escape" || !ghost) return;
    e.preventDefault();
    e.stopPropagation();
    end(false);
  };
  const on = { pointermove: move, pointerup: () => end(true), pointercancel: () => end(false) };
  Object.entries(on).forEach(([kind, act]) => button.addEventListener(kind, act));
  document.addEventListener("keydown", key, true);
}
