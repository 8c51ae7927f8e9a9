// Words of edits that would lie on each other, on the best trial's label or beyond the plot: these
// are shortened to their first line or left out. Their lines stay, and the Config tab has the words.

const GAP = 2;

function meet(a, b) {
  return (
    a.left < b.right + GAP && b.left < a.right + GAP && a.top < b.bottom + GAP && b.top < a.bottom + GAP
  );
}

function isEdit(gd, element) {
  return gd.layout.annotations?.[element.dataset.index]?.name === "edit";
}

function show(element, lines) {
  element.style.display = lines ? "" : "none";
  element.querySelectorAll("tspan.line").forEach((line, i) => {
    line.style.display = i < lines ? "" : "none";
  });
}

/** Make room among the drawn words of `gd`: the newest edit stays first, the oldest goes first. */
export function makeRoom(gd) {
  const drawn = [...gd.querySelectorAll(".annotation")];
  const edits = drawn.filter((element) => isEdit(gd, element)).reverse();
  if (!edits.length) return;
  const others = drawn.filter((element) => !edits.includes(element));
  const box = (element) => element.getBoundingClientRect();
  const frame = box(gd);
  const taken = [...gd.querySelectorAll(".scatterlayer text")].map(box);
  const fits = (own) =>
    own.left >= frame.left && own.right <= frame.right && !taken.some((other) => meet(own, other));
  [edits[0], ...others, ...edits.slice(1)].forEach((element) => {
    const fitting = [Infinity, 1, 0].find((lines) => {
      show(element, lines);
      return !lines || fits(box(element));
    });
    if (fitting) taken.push(box(element));
    element.dataset.lines = String(fitting);
  });
}

/** The annotations of `gd` as they are seen, for a picture of it. */
export function seenAnnotations(gd) {
  const lines = new Map();
  gd.querySelectorAll(".annotation[data-lines]").forEach((element) => {
    lines.set(Number(element.dataset.index), Number(element.dataset.lines));
  });
  return (gd.layout.annotations || []).flatMap((note, index) => {
    const count = lines.get(index) ?? Infinity;
    if (!count) return [];
    return [{ ...note, text: note.text.split("<br>").slice(0, count).join("<br>") }];
  });
}
