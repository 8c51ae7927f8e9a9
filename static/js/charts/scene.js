// Charts in space: what a pointer, a finger and a keyboard do with them. The wheel and fingers scroll
// the page; buttons turn the view, one step at a press, without any motion.

import * as card from "./card.js";

export const NO_SPACE = "This browser cannot draw in space (no WebGL). Show it as a table instead.";

let able = null;

export function canDrawInSpace() {
  if (able === null) {
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("webgl") || canvas.getContext("webgl2");
    able = Boolean(context);
    context?.getExtension("WEBGL_lose_context")?.loseContext();
  }
  return able;
}

const TURN = Math.PI / 12;
const STEPS = [
  ["←", "Turn left", (eye) => turned(eye, -TURN, 0)],
  ["→", "Turn right", (eye) => turned(eye, TURN, 0)],
  ["↑", "Turn up", (eye) => turned(eye, 0, TURN)],
  ["↓", "Turn down", (eye) => turned(eye, 0, -TURN)],
  ["+", "Nearer", (eye) => scaled(eye, 1 / 1.2)],
  ["−", "Farther", (eye) => scaled(eye, 1.2)],
];

function turned({ x, y, z }, around, up) {
  const length = Math.hypot(x, y, z);
  const angle = Math.atan2(y, x) + around;
  const limit = Math.PI / 2 - 0.05;
  const height = Math.min(Math.max(Math.asin(z / length) + up, -limit), limit);
  const flat = length * Math.cos(height);
  return { x: flat * Math.cos(angle), y: flat * Math.sin(angle), z: length * Math.sin(height) };
}

function scaled({ x, y, z }, by) {
  return { x: x * by, y: y * by, z: z * by };
}

function buttons(chart) {
  const group = document.createElement("div");
  group.className = "chart-turn";
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "Turn the view");
  STEPS.forEach(([sign, name, step]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = sign;
    button.title = name;
    button.setAttribute("aria-label", name);
    button.addEventListener("click", () => {
      const camera = chart.gd._fullLayout.scene._scene.getCamera();
      chart.plotly.relayout(chart.gd, { "scene.camera": { ...camera, eye: step(camera.eye) } });
    });
    group.append(button);
  });
  return group;
}

/** Once, after the first draw of a chart in space. */
export function turnable(chart) {
  const { gd, sheet } = chart;
  sheet.append(buttons(chart));
  const away = (event) => event.stopPropagation();
  ["wheel", "touchstart", "touchmove"].forEach((name) => {
    gd.addEventListener(name, away, { capture: true, passive: true });
  });
  let at = [0, 0];
  let number = null;
  gd.addEventListener("pointermove", (event) => {
    const box = gd.getBoundingClientRect();
    at = [event.clientX - box.left, event.clientY - box.top];
  }, true);
  gd.on("plotly_hover", ({ points: [point] }) => {
    number = point.data.customdata[point.pointNumber];
    card.show(chart.host, number, at[0], at[1]);
    card.point(number, chart.host.id);
  });
  gd.on("plotly_unhover", () => {
    number = null;
    card.hide(chart.host);
    card.point(null, chart.host.id);
  });
  gd.on("plotly_click", ({ event }) => {
    if (number !== null) chart.open(number, event || {});
  });
}
