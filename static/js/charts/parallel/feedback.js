// While a band is dragged: the lines that it keeps, on a canvas above the dimmed plot, so that each
// frame takes a millisecond and nothing of Plotly is drawn again.

import { holds } from "./axes.js";

const DASHES = { solid: [], "7px,5px": [7, 5], "2px,3px": [2, 3] };

/** Single lines of a drawn figure: {places by axis, color, dash, width}. */
function linesOf(gd) {
  const found = [];
  gd.data.forEach((trace) => {
    if (!trace.customdata || !trace.line || trace.uid === "best-halo") return;
    const { color, dash = "solid", width } = trace.line;
    let current = null;
    trace.customdata.forEach((number, i) => {
      if (number === null) {
        current = null;
        return;
      }
      if (!current) found.push((current = { places: [], color, dash, width }));
      current.places[trace.x[i]] = trace.y[i];
    });
  });
  return found;
}

export class Feedback {
  constructor(chart) {
    this.chart = chart;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "chart-feedback";
    this.canvas.setAttribute("aria-hidden", "true");
    this.canvas.hidden = true;
    chart.sheet.append(this.canvas);
  }

  /** Show which lines meet all `conditions` (by axis); how many of how many. */
  show(axes, conditions, absent) {
    this.lines ||= linesOf(this.chart.gd);
    const kept = this.lines.filter(({ places }) =>
      axes.every((axis, i) => holds(axis, conditions[i], places[i], absent)),
    );
    this.chart.host.classList.add("is-brushing");
    this.draw(kept);
    return [kept.length, this.lines.length];
  }

  draw(kept) {
    const { xaxis, yaxis } = this.chart.gd._fullLayout;
    const { clientWidth: width, clientHeight: height } = this.chart.sheet;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.hidden = false;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.lineJoin = "round";
    kept.forEach(({ places, color, dash, width: thick }) => {
      pen.beginPath();
      places.forEach((place, i) => {
        const at = [xaxis._offset + xaxis.d2p(i), yaxis._offset + yaxis.d2p(place)];
        if (i) pen.lineTo(...at);
        else pen.moveTo(...at);
      });
      pen.strokeStyle = color;
      pen.lineWidth = thick;
      pen.setLineDash(DASHES[dash] || []);
      pen.stroke();
    });
  }

  /** The plot itself shows again what there is. */
  hide() {
    this.lines = null;
    this.canvas.hidden = true;
    this.chart.host.classList.remove("is-brushing");
  }
}
