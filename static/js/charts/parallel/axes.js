// Axes of parallel coordinates: places from 0 (low end) to 1 and back to values, and the conditions
// on them as they stand in the page's address (in=, is=, no=; sweeps/domain/selection.py).

const { log, exp, min, max, round, abs } = Math;
// Nearer to an end of the axis than this, a band means "and beyond".
const END = 0.008;
const DIGITS = 4;

/** Where a value stands on a numeric axis. */
export function placeOf(axis, value) {
  if (axis.low === axis.high) return 0.5;
  if (axis.scale === "log") {
    return value > 0 ? (log(value) - log(axis.low)) / (log(axis.high) - log(axis.low)) : 0;
  }
  return (value - axis.low) / (axis.high - axis.low);
}

/** The value at a place, with as many digits as people read. */
export function valueAt(axis, place) {
  const within = min(max(place, 0), 1);
  const value =
    axis.scale === "log"
      ? exp(log(axis.low) + within * (log(axis.high) - log(axis.low)))
      : axis.low + within * (axis.high - axis.low);
  return axis.integer ? round(value) : Number(value.toPrecision(DIGITS));
}

/** The span of values between two places; open where it reaches the end of the axis. */
export function spanOf(axis, from, to) {
  const [low, high] = [min(from, to), max(from, to)];
  const open = [low <= END, high >= 1 - END];
  const span = [open[0] ? null : valueAt(axis, low), open[1] ? null : valueAt(axis, high)];
  // The whole axis: every value, but no missing one.
  if (open[0] && open[1]) span[0] = lowest(axis);
  if (span[0] !== null && span[1] !== null && span[0] > span[1]) span.reverse();
  return span;
}

function lowest(axis) {
  const under = axis.low - abs(axis.low) * 1e-6 - (axis.low === 0 ? 1e-12 : 0);
  return axis.integer ? axis.low : Number(under.toPrecision(8));
}

/** The places of a span, within the axis. */
export function placesOf(axis, [low, high]) {
  const place = (value, end) => (value === null ? end : min(max(placeOf(axis, value), 0), 1));
  return [place(low, 0), place(high, 1)];
}

/** Spans that meet are one. */
export function joined(spans) {
  const from = ([low]) => low ?? -Infinity;
  const to = ([, high]) => high ?? Infinity;
  const found = [];
  [...spans].sort((a, b) => from(a) - from(b)).forEach((span) => {
    const last = found.at(-1);
    if (last && from(span) <= to(last)) {
      if (to(span) > to(last)) last[1] = span[1];
    } else found.push([...span]);
  });
  return found;
}

export function categoryAt(axis, place) {
  const count = axis.categories.length;
  return min(max(Math.floor(place * count), 0), count - 1);
}

/** Whether a condition names one of the words that a category stands for. */
export function isChosen(condition, category) {
  return category.words.some((word) => condition.words.includes(word));
}

export const isEmpty = ({ spans, words, missing }) => !spans.length && !words.length && !missing;
const EMPTY = () => ({ spans: [], words: [], missing: false });

function split(text) {
  const at = text.indexOf(":");
  try {
    return [decodeURIComponent(text.slice(0, at)), text.slice(at + 1)];
  } catch {
    return ["", ""];
  }
}

function keyOf(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** The condition on `key` that the words of an address hold. */
export function read(params, key) {
  const found = EMPTY();
  params.getAll("in").map(split).filter(([own]) => own === key).forEach(([, bounds]) => {
    const at = bounds.indexOf("..");
    const number = (text) => (text === "" ? null : Number(text));
    const span = [number(bounds.slice(0, at)), number(bounds.slice(at + 2))];
    if (at >= 0 && !span.some(Number.isNaN)) found.spans.push(span);
  });
  found.words = params.getAll("is").map(split).filter(([own]) => own === key).map(([, word]) => word);
  found.missing = params.getAll("no").some((own) => keyOf(own) === key);
  return found;
}

/** The words of an address with `condition` in the place of what they said about `key`. */
export function write(params, key, condition) {
  const fresh = new URLSearchParams();
  const own = { in: (text) => split(text)[0], is: (text) => split(text)[0], no: keyOf };
  params.forEach((value, word) => {
    if (word !== "page" && !(own[word] && own[word](value) === key)) fresh.append(word, value);
  });
  const name = encodeURIComponent(key);
  joined(condition.spans).forEach(([low, high]) => fresh.append("in", `${name}:${low ?? ""}..${high ?? ""}`));
  condition.words.forEach((word) => fresh.append("is", `${name}:${word}`));
  if (condition.missing) fresh.append("no", name);
  return fresh;
}

/** Whether a trial whose line crosses the axis at `place` meets a condition; `absent` is where
    those without a value stand. */
export function holds(axis, condition, place, absent) {
  if (isEmpty(condition)) return true;
  if (place <= absent + 1e-6) return condition.missing;
  if (axis.scale === "category") return isChosen(condition, axis.categories[categoryAt(axis, place)]);
  return condition.spans.some((span) => {
    const [low, high] = placesOf(axis, span);
    return place >= low - 1e-4 && place <= high + 1e-4;
  });
}
