// Figures name colours by token ("@best", "@ramp-0.73"); the theme's CSS says what they are.

const COLOR_KEY = /color(scale)?$/i;

function channels(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

function mix(from, to, share) {
  const [a, b] = [channels(from), channels(to)];
  return `rgb(${a.map((value, i) => Math.round(value + (b[i] - value) * share)).join(",")})`;
}

/** A function from token to colour under the present theme. */
export function palette() {
  const style = getComputedStyle(document.documentElement);
  const known = new Map();
  const property = (name) => style.getPropertyValue(`--${name}`).trim();
  const ramp = (share) => {
    const stops = [0, 1, 2].map((i) => property(`ramp-${i}`));
    return share < 0.5 ? mix(stops[0], stops[1], share * 2) : mix(stops[1], stops[2], share * 2 - 1);
  };
  return (token) => {
    if (!known.has(token)) {
      const name = token.slice(1);
      const color = name.startsWith("ramp-") ? ramp(Number(name.slice(5))) : property(name);
      known.set(token, color || "#808080");
    }
    return known.get(token);
  };
}

/** A copy of a figure with its tokens resolved. Only colour keys are looked at: names of trials,
    metrics and parameters may begin with "@" too. */
export function resolve(value, color, key = "") {
  if (typeof value === "string") {
    return COLOR_KEY.test(key) && value.startsWith("@") ? color(value) : value;
  }
  if (Array.isArray(value)) {
    const plain = typeof value[0] !== "object" && !COLOR_KEY.test(key);
    return plain ? value.slice() : value.map((item) => resolve(item, color, key));
  }
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, resolve(v, color, k)]));
  }
  return value;
}
