// While a band is dragged over a density: the density of what the band would select, as the server
// counts it; one question at a time, always about the newest band.

import { palette } from "../tokens.js";
import { densityImage } from "./density.js";

export class Preview {
  constructor(chart) {
    this.chart = chart;
    this.next = null;
    this.asking = null;
  }

  /** `words`: the page's address as it would be. */
  show(words) {
    this.next = words;
    if (!this.asking) this.ask();
  }

  async ask() {
    const [path, own] = this.chart.host.dataset.src.split("?");
    const words = new URLSearchParams(this.next);
    new URLSearchParams(own).forEach((value, word) => words.set(word, value));
    this.next = null;
    this.asking = new AbortController();
    const { signal } = this.asking;
    try {
      const answer = await fetch(`${path}?${words}`, { signal, headers: { Accept: "application/json" } });
      const told = answer.ok && !answer.redirected ? await answer.json() : null;
      if (signal.aborted) return;
      if (told) this.draw(told);
    } catch (error) {
      // Without an answer the drawing of before stays, dimmed, until the band is let go.
      if (error.name === "AbortError") return;
    }
    this.asking = null;
    if (this.next) this.ask();
  }

  draw({ note, layout }) {
    const { host, gd, plotly } = this.chart;
    const { density } = layout.meta;
    if (!density) return;
    const { xaxis, yaxis } = gd.layout;
    const image = densityImage(density, xaxis.range[1], yaxis.range, palette());
    plotly.relayout(gd, { images: [image] });
    host.classList.add("has-preview");
    this.chart.frame().querySelector("[data-chart-note]").textContent = note;
  }

  /** The band was let go: what it selects comes by the address. */
  end() {
    this.next = null;
    this.asking?.abort();
    this.asking = null;
    const { classList } = this.chart.host;
    const wasDrawn = classList.contains("has-preview");
    classList.remove("has-preview");
    return wasDrawn;
  }

  /** The band was taken back: what was there before is drawn again. */
  cancel() {
    if (this.end()) this.chart.schedule(true);
  }
}
