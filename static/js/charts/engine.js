// Plotly, as much of it as a chart needs: the part for charts on paper comes with the page, the one
// for charts in space only when such a chart is drawn for the first time.

export const CONFIG = {
  displayModeBar: false,
  showSendToCloud: false,
  plotlyServerURL: "",
  displaylogo: false,
  typesetMath: false,
  showTips: false,
  // Plotly would go back to the ranges of its first draw, not of the newest data.
  doubleClick: false,
  // The chart's own observer resizes it, its scrolling container included.
  responsive: false,
  // The wheel scrolls the page.
  scrollZoom: false,
};

const tag = () => document.querySelector("script[data-space]");
let asked = null;
let inSpace = null;

/** Plotly is large and comes last, so that what it draws is asked for meanwhile. */
async function paper() {
  if (!window.Plotly && document.readyState !== "complete") {
    await new Promise((done) => document.addEventListener("DOMContentLoaded", done, { once: true }));
  }
  return window.Plotly;
}

function load(address) {
  return new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => done(window.Plotly);
    script.onerror = () => failed(new Error(`${address} could not be loaded`));
    document.head.append(script);
  });
}

/** The part for space, beside the one that draws the other charts: each keeps drawing with its own. */
async function space() {
  const part = await paper();
  inSpace = await load(tag().dataset.space);
  window.Plotly = part;
  return inSpace;
}

/** The Plotly that draws a figure with this layout, if it is here. */
export function loaded(layout) {
  return layout.scene ? inSpace : window.Plotly;
}

/** The same, waited for; rejects if it cannot be loaded. */
export function plotlyFor(layout) {
  if (!layout.scene) return paper();
  asked ||= space().catch((error) => {
    asked = null;
    throw error;
  });
  return asked;
}

/** Begin to load what draws in space; who draws with it is told if that fails. */
export function preload() {
  plotlyFor({ scene: true }).catch(() => null);
}
