// While a band is dragged over a density: the density of what the band would select, as the server
// counts it; one question at a time, always about the newest band.

import { palette } from "../tokens.js";
import { densityImage } from "./density.js";

/** The payload at this address; null if there is none to be had, or nobody waits for it any more. */
async function answerOf(address, signal) {
  const answer = await fetch(address, { signal, headers: { Accept: "application/json" } }).catch(
    () => null,
  );
  return answer?.ok && !answer.redirected ? answer.json().catch(() => null) : null;
}

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
    const told = await answerOf(`${path}?${words}`, signal);
    if (signal.aborted) return;
    // Without an answer the drawing of before stays, dimmed, until the band is let go.
    if (told) this.draw(told);
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
