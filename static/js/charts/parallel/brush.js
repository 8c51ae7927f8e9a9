// Bands on an axis by pointer: draw, move, resize, clear; on choices each category by itself.

import { categoryAt, isChosen, placesOf, spanOf } from "./axes.js";

const CLICK_PX = 4;
const END_PX = { mouse: 6, touch: 14, pen: 8 };

/** What a press at `y` takes hold of: an end of a band, the band, or the bare axis. */
export function gripAt(axis, condition, y, geometry, kind = "mouse") {
  const reach = END_PX[kind] || END_PX.mouse;
  let found = { part: "axis" };
  condition.spans.forEach((span, index) => {
    const [low, high] = placesOf(axis, span).map(geometry.y);
    // The band is drawn from high (above) to low.
    if (y < high - reach || y > low + reach) return;
    const inner = Math.min(reach, (low - high) / 3);
    if (y <= high + inner) found = { part: "high", index };
    else if (y >= low - inner) found = { part: "low", index };
    else found = { part: "band", index };
  });
  return found;
}

/** The condition while a numeric axis is dragged from `from` to `to` (places). */
function dragged(axis, condition, grip, from, to) {
  if (grip.part === "axis") return { ...condition, spans: [...condition.spans, spanOf(axis, from, to)] };
  const [low, high] = placesOf(axis, condition.spans[grip.index]);
  const ends = {
    low: () => [to, high],
    high: () => [low, to],
    band: () => {
      const shift = Math.min(Math.max(to - from, -low), 1 - high);
      return [low + shift, high + shift];
    },
  }[grip.part]();
  const spans = condition.spans.with(grip.index, spanOf(axis, ...ends));
  return { ...condition, spans };
}

/** Categories between two places are added; begun on a chosen one, they are taken away. */
function swept(axis, condition, from, to) {
  const [first, last] = [categoryAt(axis, from), categoryAt(axis, to)].sort((a, b) => a - b);
  const touched = axis.categories.slice(first, last + 1).flatMap(({ words }) => words);
  const drop = isChosen(condition, axis.categories[categoryAt(axis, from)]);
  const others = condition.words.filter((word) => !touched.includes(word));
  return { ...condition, words: drop ? others : [...others, ...touched] };
}

/** A press without a drag: toggles a category or "none"; clears the band, or the axis's bands. */
function clicked(axis, condition, grip, place, geometry) {
  if (geometry.isAbsent(place)) return { ...condition, missing: !condition.missing };
  if (axis.scale === "category") return swept(axis, condition, place, place);
  if (grip.part === "axis") return { ...condition, spans: [] };
  return { ...condition, spans: condition.spans.filter((_, i) => i !== grip.index) };
}

/** Follow a press on an axis until it ends.
 *
 * `geometry`: y(place), place(y), isAbsent(place). Calls live(condition) at each move, then
 * done(condition, isClick), or cancelled() when the press was taken away or Escape was hit. */
export function follow(zone, event, axis, condition, geometry, { live, done, cancelled }) {
  const top = zone.getBoundingClientRect().top;
  const placeAt = (e) => geometry.place(e.clientY - top);
  const from = placeAt(event);
  const absent = geometry.isAbsent(from);
  const grip =
    axis.scale === "category" || absent
      ? { part: "axis" }
      : gripAt(axis, condition, event.clientY - top, geometry, event.pointerType);
  let now = condition;
  let isDrag = false;
  zone.setPointerCapture(event.pointerId);

  const move = (e) => {
    isDrag ||= Math.abs(e.clientY - event.clientY) > CLICK_PX;
    if (!isDrag || absent) return;
    const to = Math.min(Math.max(placeAt(e), 0), 1);
    now =
      axis.scale === "category"
        ? swept(axis, condition, from, to)
        : dragged(axis, condition, grip, Math.max(from, 0), to);
    live(now);
  };
  const end = (finish) => {
    zone.removeEventListener("pointermove", move);
    zone.removeEventListener("pointerup", up);
    zone.removeEventListener("pointercancel", lost);
    document.removeEventListener("keydown", key, true);
    finish();
  };
  const up = () =>
    end(() => {
      if (isDrag && !absent) done(now, false);
      else done(clicked(axis, condition, grip, from, geometry), true);
    });
  const lost = () => end(cancelled);
  const key = (e) => {
    if (e.key !== "Escape") return;
    e.preventDefault();
    e.stopPropagation();
    end(cancelled);
  };
  zone.addEventListener("pointermove", move);
  zone.addEventListener("pointerup", up);
  zone.addEventListener("pointercancel", lost);
  document.addEventListener("keydown", key, true);
}
