// One chart on the page: its parts, when it is drawn, what a pointer does on it.

import * as card from "./card.js";
import { CONFIG, loaded, plotlyFor } from "./engine.js";
import { keepFocus, togglePick } from "./keys.js";
import { legend } from "./legend.js";
import { makeRoom } from "./labels.js";
import { emphasise, nearest, pieces, place, svg } from "./overlay.js";
import { densityImage } from "./parallel/density.js";
import { Parallel } from "./parallel/parallel.js";
import { thinTicks } from "./parallel/thin.js";
import { canDrawInSpace, NO_SPACE, turnable } from "./scene.js";
import { palette, resolve } from "./tokens.js";
import { tableOf } from "./tools.js";
import { drawing } from "./turns.js";
import { Zoom } from "./zoom.js";

function part(parent, className, name = "div") {
  const made = document.createElement(name);
  made.className = className;
  parent.append(made);
  return made;
}

export class Chart {
  constructor(host, payload) {
    this.host = host;
    this.payload = payload;
    this.plotly = null;
    this.scale = null;
    this.zoom = new Zoom();
    this.resets = 0;
    this.resetting = false;
    this.drawn = false;
    this.found = new Map();
    this.hovered = null;
    this.drawnAt = 0;
    this.cost = 0;
    this.waiting = false;
    this.held = false;
    this.missed = false;
    this.parallel = null;
    this.width = 0;
    host.replaceChildren();
    this.summary = part(host, "visually-hidden", "p");
    this.message = part(host, "chart-empty", "p");
    this.scroller = part(host, "chart-scroll");
    this.sheet = part(this.scroller, "chart-sheet");
    this.gd = part(this.sheet, "chart-plot");
    this.gd.setAttribute("role", "img");
    this.gd.setAttribute("aria-label", payload.summary);
    this.layer = svg("svg", { class: "chart-overlay", "aria-hidden": "true" });
    this.sheet.append(this.layer);
    this.resetter = part(host, "chart-reset", "button");
    this.resetter.type = "button";
    this.resetter.textContent = "Reset zoom";
    this.resetter.hidden = true;
    this.resetter.addEventListener("click", () => this.reset());
    this.foot = part(host, "chart-foot");
    this.table = part(host, "chart-table-box");
    this.table.hidden = true;
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(this.scroller);
    this.listen();
    this.schedule(true);
  }

  /** Show another payload (same chart, newer data). */
  update(payload, now = false) {
    if (this.held) {
      this.kept = payload;
      return;
    }
    this.payload = payload;
    this.schedule(now);
  }

  /** Nothing is drawn anew while somebody drags in it; what came meanwhile is drawn afterwards. */
  hold() {
    this.held = true;
  }

  release() {
    this.held = false;
    if (this.kept) this.update(this.kept, true);
    else if (this.missed) this.schedule(true);
    this.kept = null;
    this.missed = false;
  }

  /** The address has changed: what came for the old one is not drawn any more. */
  forgetKept() {
    this.kept = null;
  }

  /** Draw when it is this chart's turn; unless `now`, not before a second, or three times what drawing takes,
      has passed since the last time. */
  schedule(now = false) {
    if (this.waiting && !now) return;
    this.waiting = true;
    const pause = Math.max(1000, 3 * this.cost) - (performance.now() - this.drawnAt);
    clearTimeout(this.timer);
    const later = () => drawing.take(this, () => this.draw());
    if (now || !this.drawnAt || pause <= 0) later();
    else this.timer = setTimeout(later, pause);
  }

  async draw() {
    this.waiting = false;
    if (!this.host.isConnected) return;
    if (this.held) {
      this.missed = true;
      return;
    }
    const { payload } = this;
    card.learn(payload.cards);
    this.summary.textContent = payload.summary;
    const unable = payload.layout.scene && !canDrawInSpace() ? NO_SPACE : "";
    const message = payload.empty || unable;
    this.message.textContent = message;
    // The table says the same.
    this.message.hidden = !message || !this.table.hidden;
    this.scroller.hidden = Boolean(message);
    this.note();
    if (!this.table.hidden) this.fillTable();
    const color = palette();
    this.renewFoot(color);
    this.offerTools(!message);
    if (message) {
      this.settle();
      return;
    }
    // Not laid out (another tab is shown): the observer calls again when it is.
    if (!this.scroller.clientWidth) return;
    await this.plot(this.figure(color));
  }

  async plot(figure) {
    const width = `${figure.layout.meta?.minWidth || 0}px`;
    this.sheet.style.minWidth = width;
    this.gd.style.minHeight = `${figure.layout.meta?.minHeight || 0}px`;
    this.gd.setAttribute("aria-label", this.payload.summary);
    this.plotly = loaded(figure.layout);
    if (!this.plotly) return this.load(figure.layout);
    const start = performance.now();
    await this.plotly.react(this.gd, figure.data, figure.layout, CONFIG);
    this.cost = performance.now() - start;
    if (!this.drawn) {
      this.drawn = true;
      this.gd.on("plotly_relayout", () => this.relayouted());
      if (figure.layout.scene) turnable(this);
      this.gd.on("plotly_doubleclick", () => this.reset());
    }
    this.found = pieces(this.gd.data);
    this.width = this.scroller.clientWidth;
    this.reach();
    if (this.payload.layout.meta?.axes) this.parallel ||= new Parallel(this);
    this.emphasise();
    this.settle();
  }

  /** Others are drawn while this one waits for what draws it. */
  load(layout) {
    plotlyFor(layout).catch(() => null).then((plotly) => {
      if (plotly) this.schedule(true);
      else if (this.host.isConnected) this.unable();
    });
  }

  /** Of what is not drawn there is no picture, though there may be a table. */
  offerTools(isDrawn) {
    this.frame().querySelectorAll("[data-chart-tool]").forEach((button) => {
      const isPicture = ["png", "svg"].includes(button.dataset.chartTool);
      button.toggleAttribute("disabled", Boolean(this.payload.empty) || (isPicture && !isDrawn));
    });
  }

  /** Nothing to draw with. */
  unable() {
    this.offerTools(false);
    this.message.textContent = "What draws this chart could not be loaded. Reload the page to try again.";
    this.message.hidden = false;
    this.scroller.hidden = true;
    this.settle();
  }

  settle() {
    this.drawnAt = performance.now();
    this.host.classList.add("is-drawn");
    const detail = { id: this.host.id, ms: this.cost };
    this.host.dispatchEvent(new CustomEvent("studio:chart-drawn", { bubbles: true, detail }));
  }

  /** The figure as Plotly gets it: colours resolved, the chosen scale, zoomed ticks. */
  figure(color) {
    const { data, layout } = resolve({ data: this.payload.data, layout: this.payload.layout }, color);
    if (this.resetting) {
      this.resetting = false;
      this.zoom = new Zoom();
      this.resets += 1;
      this.resetter.hidden = true;
    }
    const { axes, scales, scale, density } = layout.meta || {};
    if (axes) thinTicks({ data, layout }, this.gd.clientHeight);
    if (density) {
      const { xaxis, yaxis } = layout;
      layout.images = [densityImage(density, xaxis.range[1], yaxis.range, color)];
    }
    if (scales) {
      const chosen = scales[this.scale] ? this.scale : scale;
      Object.assign(layout.yaxis, scales[chosen].yaxis);
      if (scales[chosen].annotations) layout.annotations = scales[chosen].annotations;
      this.markToggles(chosen, scales);
    }
    layout.uirevision += `-${this.resets}`;
    this.zoom.write(layout, this.gd.layout);
    return { data, layout };
  }

  /** Written ticks fit the whole range; a zoom has its own. */
  relayouted() {
    this.emphasise();
    if (this.resetting) return;
    const changes = this.zoom.changes(this.gd.layout);
    this.resetter.hidden = !this.zoom.isZoomed;
    if (changes) this.plotly.relayout(this.gd, changes);
  }

  /** Show everything again. */
  reset() {
    this.resetting = true;
    this.schedule(true);
  }

  setScale(scale) {
    this.scale = scale;
    this.reset();
  }

  markToggles(chosen, scales) {
    const frame = this.frame();
    frame.querySelectorAll('[data-chart-toggle="scale"]').forEach((button) => {
      const own = button.dataset.value === chosen;
      button.setAttribute("aria-pressed", String(own));
      button.classList.toggle("is-on", own);
      button.toggleAttribute("disabled", !scales[button.dataset.value]);
    });
  }

  frame() {
    return this.host.closest("[data-chart-frame]") || this.host.parentElement;
  }

  note() {
    const note = this.frame().querySelector("[data-chart-note]");
    if (note) note.textContent = this.payload.note;
  }

  renewFoot(color) {
    const { legend: entries, hint, empty } = this.payload;
    const made = legend(empty ? [] : entries, empty ? "" : hint, color);
    keepFocus(this.foot, made);
    this.foot = made;
  }

  showTable(shown) {
    this.table.hidden = !shown;
    this.host.classList.toggle("shows-table", shown);
    this.message.hidden ||= shown;
    if (shown) this.fillTable();
    else this.schedule(true);
  }

  async fillTable() {
    this.table.tabIndex = 0;
    if (this.host.dataset.table) {
      const address = `${this.host.dataset.table}${window.location.search}`;
      const answer = await fetch(address, { headers: { "X-Fragment": "1" } });
      if (answer.ok) this.table.innerHTML = await answer.text();
      return;
    }
    const made = tableOf(this.payload.table, this.payload.summary, this.host.dataset.trialUrl);
    this.table.replaceChildren(made);
  }

  resized() {
    const width = this.scroller.clientWidth;
    if (!width || this.payload.empty) return;
    if (!this.drawn) this.schedule(true);
    else if (width !== this.width || this.gd.clientHeight !== this.gd._fullLayout.height) {
      this.width = width;
      this.reach();
      this.plotly.Plots.resize(this.gd).then(() => this.emphasise());
    }
  }

  /** Where it is wider than its place, it is scrolled by keyboard too. */
  reach() {
    const wide = this.scroller.scrollWidth > this.scroller.clientWidth;
    this.scroller.toggleAttribute("tabindex", wide);
    this.host.classList.toggle("is-wide", wide);
    if (!wide) return ["role", "aria-label"].forEach((name) => this.scroller.removeAttribute(name));
    this.scroller.tabIndex = 0;
    this.scroller.setAttribute("role", "group");
    this.scroller.setAttribute("aria-label", "Chart, scrolls sideways");
  }

  remove() {
    this.observer.disconnect();
    clearTimeout(this.timer);
    drawing.giveUp(this);
    this.plotly?.purge(this.gd);
  }

  // --- Pointer ---------------------------------------------------------------------------------

  listen() {
    this.gd.addEventListener("pointermove", (event) => this.look(event));
    this.gd.addEventListener("pointerleave", () => this.leave());
    this.gd.addEventListener("pointerdown", (event) => this.press(event));
    this.scroller.addEventListener("scroll", () => card.hide(this.host));
  }

  /** What is under the pointer; lines are hit anywhere along them, not only at their points. */
  look(event) {
    const box = this.gd.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const hit = nearest(this.found, x, y);
    if (!hit) return this.leave();
    card.show(this.host, hit.number, x - this.scroller.scrollLeft, y, this.pointRow(hit));
    this.gd.classList.toggle("is-over-trial", Boolean(this.host.dataset.trialUrl));
    card.point(hit.number, this.host.id);
    return hit.number;
  }

  /** On a curve the card begins with the point itself. */
  pointRow({ piece, index }) {
    const { xaxis, meta } = this.payload.layout;
    const value = piece.ys[index];
    if (meta?.axes || meta?.bars || piece.xs.length < 2 || value === null) return null;
    return [`${xaxis.title.text} ${piece.xs[index]}`, String(Number(value.toPrecision(6)))];
  }

  leave() {
    if (this.hovered === null) return null;
    card.hide(this.host);
    this.gd.classList.remove("is-over-trial");
    card.point(null, this.host.id);
    return null;
  }

  /** A press without a drag opens the trial; on touch the first one shows its card. */
  press(event) {
    const shown = this.hovered;
    const number = this.look(event);
    if (number === null || event.button !== 0) return;
    // At the window: Plotly lays a cover over the page while a button is down.
    const released = (up) => {
      const moved = Math.hypot(up.clientX - event.clientX, up.clientY - event.clientY);
      const first = event.pointerType === "touch" && shown !== number;
      if (up.type === "pointerup" && moved <= 4 && !first) this.open(number, up);
      window.removeEventListener("pointerup", released, true);
      window.removeEventListener("pointercancel", released, true);
    };
    window.addEventListener("pointerup", released, true);
    window.addEventListener("pointercancel", released, true);
  }

  open(number, event) {
    if (!this.host.dataset.trialUrl) return;
    if (event.shiftKey) {
      togglePick(number);
      return;
    }
    const target = this.host.dataset.trialUrl.replace("__n__", String(number));
    if (event.ctrlKey || event.metaKey) window.open(target, "_blank", "noopener");
    else window.location.assign(target);
  }

  hover(number) {
    this.hovered = number;
    if (this.drawn) emphasise(this.layer, this.gd, this.found.get(number));
  }

  /** Anew after whatever moved the points. */
  emphasise() {
    makeRoom(this.gd);
    place(this.gd, this.found);
    this.hover(this.hovered);
    this.parallel?.placed();
  }

  /** A press on what lies above the plot was meant for the trial below it. */
  click(event) {
    const number = this.look(event);
    if (typeof number === "number" && event.pointerType !== "touch") this.open(number, event);
  }
}
