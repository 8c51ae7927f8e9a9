// What a chart's tools do: show as table, download, full screen.

import { seenAnnotations } from "./labels.js";

/** The chart's values as a table; trial numbers link to their pages. */
export function tableOf({ header, rows }, caption, trialUrl) {
  const table = document.createElement("table");
  table.className = "table chart-table";
  table.createCaption().textContent = caption;
  table.caption.className = "visually-hidden";
  const head = table.createTHead().insertRow();
  header.forEach((name) => {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = name;
    head.append(cell);
  });
  const body = table.createTBody();
  const isTrial = header[0] === "Trial";
  rows.forEach((values) => {
    const row = body.insertRow();
    values.forEach((value) => {
      row.insertCell().textContent = value;
    });
    if (!isTrial) return;
    row.dataset.trial = values[0];
    if (!trialUrl) return;
    const link = document.createElement("a");
    link.href = trialUrl.replace("__n__", values[0]);
    link.textContent = values[0];
    row.cells[0].replaceChildren(link);
  });
  return table;
}

// A cell that begins like this would run as a formula in a spreadsheet.
const FORMULA = /^[=+@\t\r]|^-(?![\d.])/;

/** Comma-separated values after RFC 4180. */
export function csvOf({ header, rows }) {
  const cell = (text) => {
    const safe = FORMULA.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return [header, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}

export function save(text, type, filename) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = filename;
  link.click();
  // The download has its own reference once the click is handled.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Texts over lines are read in a picture too, which the page's own style does not reach. */
function backed(trace, surface) {
  if (!trace.textfont) return trace;
  const shadow = Array(8).fill(`0 0 3px ${surface}`).join(", ");
  return { ...trace, textfont: { ...trace.textfont, shadow } };
}

/** What a file of the chart is called: its sweep, and the chart. */
export function fileName({ host }) {
  const { sweep } = host.closest("[data-chart-frame]")?.dataset || {};
  return sweep ? `${sweep}-${host.id.replace(/^chart-/, "")}` : host.id;
}

// So much room has the line that says what a picture shows, in px.
const TITLE_PX = 26;

/** The chart's title and its sweep, above the plot. */
function titled({ host, gd }, color) {
  const { chartTitle, sweep } = host.closest("[data-chart-frame]")?.dataset || {};
  if (!chartTitle) return {};
  const text = [chartTitle, sweep].filter(Boolean).join(" · ");
  const safe = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const title = { text: safe, x: 0, xref: "container", xanchor: "left", y: 1, yref: "container" };
  Object.assign(title, { yanchor: "top", pad: { l: 8, t: 7 }, automargin: false });
  title.font = { size: 13, color };
  const { margin } = gd.layout;
  return { title, margin: { ...margin, t: margin.t + TITLE_PX } };
}

/** Save a chart's drawn figure as "png" or "svg", on the surface's colour. */
export function saveImage(chart, format, color) {
  const { plotly, gd } = chart;
  const surface = color("@surface");
  const title = titled(chart, color("@text"));
  const layout = { ...gd.layout, annotations: seenAnnotations(gd), paper_bgcolor: surface, ...title };
  const { width } = gd._fullLayout;
  const height = gd._fullLayout.height + (title.title ? TITLE_PX : 0);
  const options = { format, filename: fileName(chart), width, height, scale: format === "png" ? 2 : 1 };
  return plotly.downloadImage({ data: gd.data.map((trace) => backed(trace, surface)), layout }, options);
}

export function fullScreen(frame) {
  if (document.fullscreenElement) return document.exitFullscreen();
  return frame.requestFullscreen();
}
