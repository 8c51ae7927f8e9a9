// Charts on paper: in the colours of the light theme, which holds by then, and as wide as a sheet.

import { CONFIG } from "./engine.js";
import { palette } from "./tokens.js";

// Within the margins of page and card, on A4 and on letter.
const PAPER_PX = 660;
const LEAST_ZOOM = 0.4;

/** At once: printing waits for nothing. Charts in space are pictures of their own and stay. */
export function onPaper(chart) {
  const { scroller, payload } = chart;
  if (!chart.drawn || scroller.hidden || !scroller.clientWidth || payload.layout.scene) return;
  const color = palette();
  const { data, layout } = chart.figure(color);
  layout.width = Math.max(Math.min(PAPER_PX, scroller.clientWidth), layout.meta?.minWidth || 0);
  chart.plotly.react(chart.gd, data, layout, CONFIG);
  // What scrolls on the screen is drawn smaller.
  chart.sheet.style.zoom = Math.min(Math.max(PAPER_PX / layout.width, LEAST_ZOOM), 1);
  chart.renewFoot(color);
  chart.layer.replaceChildren();
}

/** On the screen again. */
export async function offPaper(chart) {
  if (!chart.drawn) return;
  chart.sheet.style.zoom = "";
  await chart.draw();
  // Drawn anew it keeps the width that it has.
  chart.width = 0;
  chart.resized();
}
