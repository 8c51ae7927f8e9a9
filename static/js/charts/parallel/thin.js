// A low plot has room for fewer ticks: those that would touch go, the ends of an axis stay.

const GAP_PX = 16;

/** The figure's ticks without those that are nearer to a kept one than people can read. */
export function thinTicks(figure, height) {
  const { data, layout } = figure;
  const ticks = data.find((trace) => trace.uid === "ticks");
  if (!ticks) return;
  const [bottom, top] = layout.yaxis.range;
  const line = (GAP_PX * (top - bottom)) / Math.max(height - layout.margin.t - layout.margin.b, 1);
  const lines = ticks.text.map((text) => text.split("<br>").length);
  const kept = new Set();
  new Set(ticks.x).forEach((axis) => {
    const own = [...ticks.x.keys()].filter((i) => ticks.x[i] === axis);
    const places = own.sort((a, b) => ticks.y[a] - ticks.y[b]);
    const first = [places.at(-1), ...places.slice(0, -1)];
    const near = (i) => [...kept].some((k) => ticks.x[k] === ticks.x[i] && Math.abs(ticks.y[k] - ticks.y[i]) < (line * (lines[k] + lines[i])) / 2);
    first.forEach((i) => {
      if (!near(i)) kept.add(i);
    });
  });
  ["x", "y", "text", "textposition"].forEach((name) => {
    ticks[name] = ticks[name].filter((_, i) => kept.has(i));
  });
}
