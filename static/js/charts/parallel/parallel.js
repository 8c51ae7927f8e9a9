// Parallel coordinates beyond their lines: axes that are brushed, moved and opened. What is selected
// and in which order axes stand is in the page's address alone; this draws it from there, and
// writes what people do to it.

import { follow, gripAt } from "./brush.js";
import { isChosen, isEmpty, placesOf, read, write } from "./axes.js";
import { openEditor } from "./editor.js";
import { FixedEnd } from "./fixed.js";
import { Feedback } from "./feedback.js";
import { AxesMenu } from "./order.js";
import { Preview } from "./preview.js";
import { nameable } from "./reorder.js";

const AIR = 8;

function element(name, className, parent) {
  const made = document.createElement(name);
  made.className = className;
  parent.append(made);
  return made;
}

export class Parallel {
  constructor(chart) {
    this.chart = chart;
    this.layer = element("div", "axes", chart.sheet);
    this.feedback = new Feedback(chart);
    this.preview = new Preview(chart);
    this.zones = new Map();
    this.menu = new AxesMenu(this);
    this.fixed = new FixedEnd(this);
    chart.host.classList.add("is-parallel");
    this.said = element("p", "visually-hidden", chart.host);
    this.said.setAttribute("role", "status");
    this.layer.addEventListener("pointermove", (event) => {
      if (!chart.held) chart.look(event);
    });
    this.layer.addEventListener("pointerleave", () => chart.leave());
    chart.host.addEventListener("dblclick", (event) => this.doubled(event));
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("studio:query", () => this.bands());
  }

  /** After each drawing, and whenever the plot has another size. */
  placed() {
    const { gd } = this.chart;
    this.meta = this.chart.payload.layout.meta;
    this.axes = this.meta.axes;
    const { xaxis, yaxis, height } = gd._fullLayout;
    const y = (place) => yaxis._offset + yaxis.d2p(place);
    this.top = y(1) - AIR;
    this.absentY = y(this.meta.absent);
    this.geometry = {
      y: (place) => y(place) - this.top,
      place: (own) => yaxis.p2d(own + this.top - yaxis._offset),
      isAbsent: (place) => place < this.meta.absent / 2,
    };
    const start = this.fixed.renew();
    const focused = document.activeElement;
    const gone = new Set(this.zones.keys());
    this.axes.forEach((axis, i) => {
      gone.delete(axis.key);
      const zone = this.zones.get(axis.key) || this.zone(axis.key);
      zone.axis = axis;
      const end = (axis.absent ? this.absentY : y(0)) + AIR;
      // The fixed axis stands on the panel that stays in view.
      zone.shift = axis.objective ? start : 0;
      const parent = zone.shift ? this.fixed.panel : this.layer;
      if (zone.track.parentElement !== parent) parent.append(zone.track, zone.name.button);
      zone.track.style.left = `${xaxis._offset + xaxis.d2p(i) - zone.shift}px`;
      zone.track.style.top = `${this.top}px`;
      zone.track.style.height = `${Math.min(end, height) - this.top}px`;
      zone.name.place(gd, i);
    });
    gone.forEach((key) => this.drop(key));
    this.order();
    // A name that has gone to the panel, or come back from it, was taken out for a moment.
    if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
    this.menu.renew();
    this.bands();
  }

  zone(key) {
    const track = element("div", "axis-track", this.layer);
    const zone = { track, key };
    zone.name = nameable(this, key, zone);
    track.addEventListener("pointerdown", (event) => this.press(event, zone));
    track.addEventListener("pointermove", (event) => this.hint(event, zone));
    this.zones.set(key, zone);
    return zone;
  }

  drop(key) {
    const { track, name } = this.zones.get(key);
    track.remove();
    name.button.remove();
    this.zones.delete(key);
  }

  /** Tab goes through the names from left to right. */
  order() {
    const all = this.axes.map(({ key }) => this.zones.get(key).name.button);
    const wanted = all.filter((button) => button.parentElement === this.layer);
    const there = [...this.layer.querySelectorAll(":scope > .axis-name")];
    if (wanted.every((button, i) => button === there[i])) return;
    const focused = wanted.find((button) => button === document.activeElement);
    wanted.forEach((button) => this.layer.append(button));
    focused?.focus({ preventScroll: true });
  }

  // --- What is selected --------------------------------------------------------------------------

  condition(key) {
    return read(window.studioQuery?.params() || new URLSearchParams(), key);
  }

  /** Bands as the address says, unless one is being dragged. */
  bands() {
    if (!this.axes || this.chart.held) return;
    this.zones.forEach((zone) => this.drawBands(zone, this.condition(zone.key)));
  }

  drawBands(zone, condition) {
    const { axis, track } = zone;
    track.replaceChildren();
    const band = (top, bottom, kind = "") => {
      const made = element("div", `axis-band ${kind}`, track);
      const height = Math.max(bottom - top, 6);
      made.style.top = `${(top + bottom - height) / 2}px`;
      made.style.height = `${height}px`;
    };
    if (axis.scale === "category") {
      const half = Math.min(0.4 / axis.categories.length, 0.07);
      axis.categories.forEach((category, i) => {
        const place = (i + 0.5) / axis.categories.length;
        if (isChosen(condition, category)) {
          band(this.geometry.y(place + half), this.geometry.y(place - half));
        }
      });
    } else {
      condition.spans.forEach((span) => {
        const [low, high] = placesOf(axis, span).map(this.geometry.y);
        band(high, low, "has-ends");
      });
    }
    const absent = this.geometry.y(this.meta.absent);
    if (condition.missing && axis.absent) band(absent - 7, absent + 7);
    zone.name.describe(axis, condition);
  }

  // --- What people do ----------------------------------------------------------------------------

  hint(event, { track, axis, key }) {
    if (this.chart.held) return;
    const y = event.clientY - track.getBoundingClientRect().top;
    const numeric = axis.scale !== "category" && !this.geometry.isAbsent(this.geometry.place(y));
    track.dataset.grip = numeric ? gripAt(axis, this.condition(key), y, this.geometry).part : "choice";
  }

  press(event, zone) {
    if (event.button !== 0 || !event.isPrimary || this.chart.held) return;
    event.preventDefault();
    this.chart.hold();
    this.chart.leave();
    const before = this.condition(zone.key);
    const conditions = this.axes.map(({ key }) => this.condition(key));
    const own = this.axes.indexOf(zone.axis);
    const finish = () => {
      this.feedback.hide();
      this.chart.release();
      this.bands();
    };
    follow(zone.track, event, zone.axis, before, this.geometry, {
      live: (condition) => {
        this.drawBands(zone, condition);
        const [kept, all] = this.feedback.show(this.axes, conditions.with(own, condition), this.meta.absent);
        this.live(zone, kept, all);
        if (this.meta.density) this.preview.show(write(window.studioQuery.params(), zone.key, condition));
      },
      done: (condition, isClick) => {
        this.preview.end();
        const same = isClick && isEmpty(condition) && isEmpty(before);
        // The address first: what came for the old one while it was held is then not drawn.
        if (!same) this.select(zone.key, condition);
        finish();
        if (same) this.chart.click(event);
      },
      cancelled: () => {
        this.preview.cancel();
        finish();
      },
    });
  }

  /** The ends of the dragged band as numbers beside it. */
  live(zone, kept, all) {
    const words = element("div", "axis-live", zone.track);
    // Of a density only the best and the like are lines; how many are selected says the note.
    words.textContent = this.meta.density ? `${kept} of ${all} single lines` : `${kept} of ${all} lines`;
    const last = zone.track.querySelector(".axis-band:last-of-type");
    words.style.top = last ? last.style.top : "0";
    zone.track.classList.toggle("is-last", this.axes.at(-1) === zone.axis);
  }

  select(key, condition) {
    const { studioQuery } = window;
    if (studioQuery) studioQuery.go(write(studioQuery.params(), key, condition), true);
    this.bands();
    this.said.textContent = `${this.zones.get(key)?.axis.name || key}: selection changed`;
  }

  /** Every condition on any axis goes; statuses, texts and picks stay. */
  clear() {
    const { studioQuery } = window;
    if (!studioQuery) return false;
    const before = studioQuery.params();
    const empty = { spans: [], words: [], missing: false };
    const keys = this.meta.choices.map(({ key }) => key);
    const after = keys.reduce((params, key) => write(params, key, empty), before);
    const said = (params) => ["in", "is", "no"].flatMap((word) => params.getAll(word)).length;
    if (said(after) === said(before)) return false;
    studioQuery.go(after, true);
    this.bands();
    return true;
  }

  doubled(event) {
    if (event.target.closest(".axis-name, .axis-editor, .chart-foot")) return;
    this.clear();
  }

  key(event) {
    if (event.key !== "Escape" || event.defaultPrevented || !this.axes || this.chart.held) return;
    if (!this.chart.host.isConnected) return;
    const busy = "input, textarea, select, dialog[open], details[open], .axis-editor";
    if (event.target.closest?.(busy) || document.querySelector("dialog[open], details.menu[open]")) return;
    if (this.clear()) event.preventDefault();
  }

  edit(zone) {
    openEditor(this, zone);
  }
}
