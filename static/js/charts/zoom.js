// Zooms of a chart's axes: the server writes ticks that fit the whole range, a zoom has its own.

import { logTicks } from "./ticks.js";

const TICKS = ["tickmode", "tickvals", "ticktext"];

function differ(range, other) {
  return range.some((end, i) => Math.abs(end - other[i]) > 1e-9);
}

function ticksOf({ type, range }) {
  return type === "log" ? logTicks(range) : { tickmode: "auto" };
}

export class Zoom {
  constructor() {
    this.written = {};
    this.zoomed = new Set();
    this.seen = {};
  }

  get isZoomed() {
    return this.zoomed.size > 0;
  }

  /** Keep what `layout` (about to be drawn) says of the whole, and give it the ticks of the zooms
      that `shown`, the layout on the screen, has. */
  write(layout, shown) {
    this.written = {};
    Object.entries(layout).forEach(([name, axis]) => {
      if (!/^[xy]axis\d*$/.test(name) || axis.fixedrange || !axis.range) return;
      this.written[name] = { ...axis, range: [...axis.range] };
      const zoom = this.zoomed.has(name) && shown?.[name];
      if (zoom && axis.tickmode === "array") Object.assign(axis, ticksOf({ type: axis.type, range: zoom.range }));
    });
  }

  /** What has to be drawn anew after the layout on the screen has changed; null for nothing. */
  changes(shown) {
    const changes = {};
    this.zoomed.clear();
    Object.entries(this.written).forEach(([name, whole]) => {
      const { range, type } = shown[name];
      const own = differ(range, whole.range);
      if (own) this.zoomed.add(name);
      const key = String(range);
      if (this.seen[name] === key || whole.tickmode !== "array") return;
      this.seen[name] = key;
      const ticks = own ? ticksOf({ type, range }) : whole;
      TICKS.forEach((tick) => {
        changes[`${name}.${tick}`] = ticks[tick] ?? null;
      });
    });
    return Object.keys(changes).length ? changes : null;
  }
}
