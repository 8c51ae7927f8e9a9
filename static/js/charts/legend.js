// The key below a chart.

import { keyElement } from "./keys.js";
import { svg } from "./overlay.js";

const SHAPES = {
  line: (color) => svg("path", { d: "M0 6H20", stroke: color, "stroke-width": 2.5 }),
  step: (color) => svg("path", { d: "M0 9H9V3H20", stroke: color, "stroke-width": 2, fill: "none" }),
  dash: (color) => svg("path", { d: "M0 6H20", stroke: color, "stroke-width": 1.8, "stroke-dasharray": "5 3" }),
  dot: (color) => svg("path", { d: "M0 6H20", stroke: color, "stroke-width": 1.8, "stroke-dasharray": "2 2" }),
  disc: (color) => svg("circle", { cx: 10, cy: 6, r: 3.6, fill: color }),
  ring: (color) => svg("circle", { cx: 10, cy: 6, r: 3.4, fill: "none", stroke: color, "stroke-width": 1.7 }),
  diamond: (color) => svg("path", { d: "M10 2L14 6L10 10L6 6Z", fill: "none", stroke: color, "stroke-width": 1.5 }),
  gem: (color) => svg("path", { d: "M10 1.5L14.5 6L10 10.5L5.5 6Z", fill: color }),
  triangle: (color) => svg("path", { d: "M10 2L14 9.5H6Z", fill: "none", stroke: color, "stroke-width": 1.5 }),
  star: (color) => svg("path", { d: "M10 .5L11.7 4.3L15.8 4.7L12.7 7.4L13.6 11.5L10 9.4L6.4 11.5L7.3 7.4L4.2 4.7L8.3 4.3Z", fill: color }),
  cross: (color) => svg("path", { d: "M6.5 2.5L13.5 9.5M13.5 2.5L6.5 9.5", stroke: color, "stroke-width": 1.8 }),
};

function shape(mark, color) {
  return svg("svg", { width: 20, height: 12, "aria-hidden": "true" }, SHAPES[mark](color));
}

const RAMP_PARTS = 24;

/** The objective ramp from its low end to its high one. */
function ramp(color) {
  const parts = Array.from({ length: RAMP_PARTS }, (_, i) => {
    const fill = color(`@ramp-${(i / (RAMP_PARTS - 1)).toFixed(2)}`);
    return svg("rect", { x: 3 * i, y: 2, width: 3.5, height: 8, fill });
  });
  return svg("svg", { width: 3 * RAMP_PARTS, height: 12, "aria-hidden": "true" }, ...parts);
}

/** The legend's element: entries left, the reading hint right. */
export function legend(entries, hint, color) {
  const list = document.createElement("ul");
  list.className = "chart-keys";
  entries.forEach((entry) => {
    const { mark, color: token, text } = entry;
    const item = document.createElement("li");
    const drawn = mark === "ramp" ? ramp(color) : shape(mark, color(token));
    const key = keyElement(entry);
    key.append(drawn, text);
    item.append(key);
    list.append(item);
  });
  const foot = document.createElement("div");
  foot.className = "chart-foot";
  foot.append(list);
  if (hint) {
    const words = document.createElement("span");
    words.className = "chart-hint";
    words.textContent = hint;
    foot.append(words);
  }
  foot.hidden = !entries.length && !hint;
  return foot;
}
