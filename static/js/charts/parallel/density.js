// The density of very many lines as a picture in the theme's colours: how strong by how many lines
// pass, which colour by how good they are.

const NO_VALUE = 0;

function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

function channels(color) {
  probe.fillStyle = color;
  probe.fillRect(0, 0, 1, 1);
  return probe.getImageData(0, 0, 1, 1).data;
}

/** A picture for the layout of a figure whose x axis ends at `last` and y axis at `range`. */
export function densityImage(density, last, [bottom, top], color) {
  const { rows, columns } = density;
  const canvas = document.createElement("canvas");
  canvas.width = columns;
  canvas.height = rows;
  const pen = canvas.getContext("2d");
  const picture = pen.createImageData(columns, rows);
  const [level, strength] = [bytes(density.level), bytes(density.strength)];
  const ground = density.ground ? bytes(density.ground) : null;
  const ramp = Array.from({ length: 65 }, (_, i) => channels(color(`@ramp-${(i / 64).toFixed(2)}`)));
  const [bare, faint] = [channels(color("@red-mark")), channels(color("@axis"))];
  for (let i = 0; i < level.length; i += 1) {
    const front = (level[i] / 255) ** 1.6 * 0.92;
    const back = ground ? (ground[i] / 255) ** 1.6 * 0.3 * (1 - front) : 0;
    const [r, g, b] = strength[i] === NO_VALUE ? bare : ramp[Math.round(((strength[i] - 1) / 254) * 64)];
    const alpha = front + back;
    if (!alpha) continue;
    const share = front / alpha;
    picture.data[4 * i] = r * share + faint[0] * (1 - share);
    picture.data[4 * i + 1] = g * share + faint[1] * (1 - share);
    picture.data[4 * i + 2] = b * share + faint[2] * (1 - share);
    picture.data[4 * i + 3] = 255 * alpha;
  }
  pen.putImageData(picture, 0, 0);
  const place = { xref: "x", yref: "y", x: 0, y: top, sizex: last, sizey: top - bottom };
  return { ...place, source: canvas.toDataURL(), sizing: "stretch", layer: "below", xanchor: "left", yanchor: "top" };
}
