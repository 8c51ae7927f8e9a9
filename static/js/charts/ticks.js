// Ticks inside a zoom of a log axis, as people write them; the server writes those of the whole.

const LIMIT = 8;

function linear(low, high) {
  const raw = (high - low) / 5;
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * magnitude).find((s) => s >= raw * 0.999);
  const values = [];
  for (let k = Math.ceil(low / step); k * step <= high; k += 1) values.push(k * step);
  return values;
}

function decades(low, high, digits, stride) {
  const values = [];
  for (let d = Math.floor(Math.log10(low)); d <= Math.log10(high); d += 1) {
    if (d % stride === 0) digits.forEach((digit) => values.push(Number(`${digit}e${d}`)));
  }
  return values.filter((value) => value >= low && value <= high);
}

/** {tickmode, tickvals, ticktext} for a range given as two logarithms. */
export function logTicks([from, to]) {
  const [low, high] = [10 ** from, 10 ** to];
  let values = decades(low, high, [1, 2, 5], 1);
  for (let stride = 1; values.length > LIMIT; stride += 1) values = decades(low, high, [1], stride);
  if (values.length < 3) values = linear(low, high);
  const ticktext = values.map((value) => String(Number(value.toPrecision(4))));
  return { tickmode: "array", tickvals: values, ticktext };
}
