// Where the axes are wider than the screen, the objective's, if it is the last one, stays at its right
// edge: a copy of that end of the drawing, with the ends of the lines that arrive there.

const AIR = 34;

export class FixedEnd {
  constructor(parallel) {
    this.parallel = parallel;
    this.panel = document.createElement("div");
    this.panel.className = "axis-fixed";
    this.panel.hidden = true;
    // Its name is wider than the axis and stands above the lines.
    this.title = document.createElement("div");
    this.plot = document.createElement("div");
    [this.title, this.plot].forEach((box) => {
      box.className = "axis-fixed-picture";
      box.setAttribute("aria-hidden", "true");
      this.panel.append(box);
    });
    parallel.chart.sheet.prepend(this.panel);
  }

  /** After a drawing: where the panel begins on the sheet, 0 while there is none. */
  renew() {
    const { gd, scroller, sheet } = this.parallel.chart;
    const isWide = this.parallel.axes.at(-1).objective && sheet.offsetWidth > scroller.clientWidth + 1;
    this.panel.hidden = !isWide;
    if (!isWide) return 0;
    const { xaxis, yaxis, height } = gd._fullLayout;
    const last = this.parallel.axes.length - 1;
    const start = Math.round(xaxis._offset + xaxis.d2p(last) - AIR);
    const below = Math.round(yaxis._offset + yaxis.d2p(1) - 8);
    this.panel.style.left = `${scroller.clientWidth - (sheet.offsetWidth - start)}px`;
    this.panel.style.width = `${sheet.offsetWidth - start}px`;
    const name = gd.querySelector(`.annotation[data-index="${2 * last}"]`)?.getBoundingClientRect();
    const left = name ? Math.round(name.left - gd.getBoundingClientRect().left) - 16 : start;
    const copies = [...gd.querySelectorAll(".main-svg")];
    crop(this.title, copies, { x: Math.min(left, start), y: 0, to: sheet.offsetWidth, height: below }, start);
    crop(this.plot, copies, { x: start, y: below, to: sheet.offsetWidth, height: height - below }, start);
    return start;
  }
}

/** Show a part of the drawing in `box`, placed as it is on the sheet from `start` on. */
function crop(box, drawn, { x, y, to, height }, start) {
  const width = to - x;
  Object.assign(box.style, { left: `${x - start}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
  const copies = drawn.map((svg) => {
    const copy = svg.cloneNode(true);
    copy.querySelectorAll("[id]").forEach((element) => element.removeAttribute("id"));
    copy.removeAttribute("id");
    copy.setAttribute("viewBox", `${x} ${y} ${width} ${height}`);
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    return copy;
  });
  box.replaceChildren(...copies);
}
