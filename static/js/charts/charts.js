// Charts of a page: found by [data-chart], drawn from the JSON at data-src, which is asked with the
// page's own query, or from the inline JSON that data-figure names.
//
// window.studioCharts.update(id, payload, words)  newer data for the chart with this element id
// window.studioCharts.scan(root)           draw charts that came with a fragment
// Events: studio:theme, studio:query, studio:news (in), studio:hover (in and out), studio:chart-drawn, studio:chart-scale (out)

import * as card from "./card.js";
import { Chart } from "./chart.js";
import { renew } from "./controls.js";
import { preload } from "./engine.js";
import "./others.js";
import { offPaper, onPaper } from "./paper.js";
import { Source } from "./source.js";
import { palette } from "./tokens.js";
import { csvOf, fileName, fullScreen, save, saveImage } from "./tools.js";
import { place } from "./turns.js";

// So long after the chart has come near, others are drawn.
const SPACE_AFTER_MS = 1500;
const charts = new Map();
const sources = new Map();

/** A chart that fetches what it draws; until the first payload its place says so. */
function follow(host) {
  const show = (payload) => {
    const chart = charts.get(host.id);
    if (chart?.host === host) chart.update(payload, true);
    else charts.set(host.id, new Chart(host, payload));
    renew(host.closest("[data-chart-frame]"), payload.controls);
  };
  const failed = (message) => {
    if (charts.get(host.id)?.host === host) return true;
    const again = document.createElement("button");
    again.type = "button";
    again.className = "btn btn-sm";
    again.textContent = "Try again";
    again.addEventListener("click", () => sources.get(host.id)?.renew());
    const words = document.createElement("p");
    words.className = "chart-empty";
    words.append(message, " ", again);
    host.replaceChildren(words);
    return false;
  };
  sources.set(host.id, new Source(host, show, failed));
  if ("space" in host.dataset) prepareSpace(host);
}

/** What draws in space takes a while to start: at once where the address names it, else when nothing
    else is to be done and the chart is some screens away. */
function prepareSpace(host) {
  if (place()?.contains(host)) {
    preload();
    return;
  }
  const near = new IntersectionObserver(([entry]) => {
    if (!entry.isIntersecting) return;
    near.disconnect();
    setTimeout(() => (window.requestIdleCallback || setTimeout)(preload), SPACE_AFTER_MS);
  }, { rootMargin: "200%" });
  near.observe(host);
}

function scan(root = document) {
  charts.forEach((chart, id) => {
    if (chart.host.isConnected) return;
    chart.remove();
    charts.delete(id);
  });
  sources.forEach((source, id) => {
    if (source.host.isConnected) return;
    source.remove();
    sources.delete(id);
  });
  const found = [...root.querySelectorAll("[data-chart]")];
  if (root.matches?.("[data-chart]")) found.push(root);
  found.forEach((host) => {
    if (charts.get(host.id)?.host === host) return;
    if (host.dataset.src) {
      if (sources.get(host.id)?.host !== host) follow(host);
      return;
    }
    const source = document.getElementById(host.dataset.figure);
    if (source) charts.set(host.id, new Chart(host, JSON.parse(source.textContent)));
  });
}

/** Kinds of charts that the page's next question may bring along. */
function due() {
  return [...sources.values()].map((source) => source.due()).filter(Boolean);
}

/** `words`: the page's query that it was asked with. */
function update(id, payload, words) {
  const source = sources.get(id);
  if (source) {
    source.brought(payload, words);
    return true;
  }
  const chart = charts.get(id);
  if (chart) chart.update(payload);
  return Boolean(chart);
}

function chartOf(control) {
  const id = control.dataset.for;
  const host = id
    ? document.getElementById(id)
    : control.closest("[data-chart-frame]")?.querySelector("[data-chart]");
  return host ? charts.get(host.id) : undefined;
}

const TOOLS = {
  table(chart, button) {
    const shown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(shown));
    chart.showTable(shown);
  },
  values: (chart) => window.location.assign(sources.get(chart.host.id).address("csv")),
  csv(chart) {
    save(csvOf(chart.payload.values || chart.payload.table), "text/csv;charset=utf-8", `${fileName(chart)}.csv`);
  },
  png: (chart) => saveImage(chart, "png", palette()),
  svg: (chart) => saveImage(chart, "svg", palette()),
  fullscreen: (chart) => fullScreen(chart.frame()),
};

document.addEventListener("click", (event) => {
  const control = event.target.closest("[data-chart-tool], [data-chart-toggle]");
  const chart = control && chartOf(control);
  if (!chart) return;
  if (control.dataset.chartToggle === "scale") {
    event.preventDefault();
    chart.setScale(control.dataset.value);
    const detail = { id: chart.host.id, value: control.dataset.value };
    document.dispatchEvent(new CustomEvent("studio:chart-scale", { detail }));
  } else if (TOOLS[control.dataset.chartTool]) {
    event.preventDefault();
    TOOLS[control.dataset.chartTool](chart, control);
  }
});

document.addEventListener("studio:hover", ({ detail }) => {
  charts.forEach((chart) => chart.hover(detail.number));
});
// Captured at the window, so that it does not matter on which node the theme switch speaks.
document.addEventListener("studio:query", () => {
  sources.forEach((source, id) => {
    charts.get(id)?.forgetKept();
    source.renew();
  });
});
document.addEventListener("studio:news", ({ detail }) => {
  card.forget();
  sources.forEach((source, id) => {
    if (!detail.figures?.[id]) source.news(charts.get(id)?.cost || 0);
  });
});
window.addEventListener("studio:theme", () => charts.forEach((chart) => chart.schedule(true)), true);
// The theme's own listeners were there first: colours are those of the paper by now, and back again.
window.addEventListener("beforeprint", () => charts.forEach(onPaper));
window.addEventListener("afterprint", () => charts.forEach(offPaper));
document.addEventListener("htmx:load", (event) => scan(event.detail.elt));

/** The browser goes to the place that the address names when it has drawn the page; what lies above
    it would be asked for before that, and while the page glides there. */
function goToPlace() {
  const [{ type } = {}] = performance.getEntriesByType("navigation");
  if (type === "navigate" && window.scrollY === 0) place()?.scrollIntoView({ behavior: "instant" });
}

card.linkRows();
goToPlace();
window.studioCharts = { update, scan, due, ids: () => [...charts.keys()] };
scan();
