// Which axes stand in which order: axes=a,b,* in the address (names percent-encoded; the objective's
// is *, and - hides it), or as declared with the objective last.

const HIDDEN = "-";

const inAddress = () => window.studioQuery?.params().get("axes");

/** Words of the axes from left to right: as last asked for, even if that is not drawn yet. */
export function orderOf({ axes, wanted }) {
  if (wanted && wanted.axes === inAddress()) return [...wanted.words];
  return axes.map(({ word }) => word);
}

export function setOrder(parallel, words) {
  const { studioQuery } = window;
  if (!studioQuery) return;
  const params = studioQuery.params();
  const { choices } = parallel.meta;
  const declared = choices.filter(({ constant }) => !constant).map(({ word }) => word);
  const same = words.length === declared.length && words.every((word, i) => word === declared[i]);
  const objective = choices.find((choice) => choice.objective).word;
  const said = words.includes(objective) ? [...words] : [...words, HIDDEN];
  // The objective is last unless something else is said.
  if (said.at(-1) === objective && said.length > 1) said.pop();
  if (same || !words.length) params.delete("axes");
  else params.set("axes", said.map(encodeURIComponent).join(","));
  studioQuery.go(params, true);
  if (words.length) parallel.wanted = { axes: inAddress(), words };
}

/** The menu "Axes 8 of 9" among the chart's tools. */
export class AxesMenu {
  constructor(parallel) {
    this.parallel = parallel;
    const tools = parallel.chart.frame().querySelector(".card-tools");
    if (!tools) return;
    this.menu = document.createElement("details");
    this.menu.className = "menu axes-menu";
    this.summary = document.createElement("summary");
    this.summary.className = "btn btn-ghost worded";
    this.panel = document.createElement("div");
    this.panel.className = "menu-panel";
    this.menu.append(this.summary, this.panel);
    const first = tools.querySelector(":scope > [data-chart-tool], :scope > .menu");
    tools.insertBefore(this.menu, first);
  }

  renew() {
    if (!this.menu) return;
    const { choices } = this.parallel.meta;
    const shown = choices.filter((choice) => choice.shown).length;
    this.summary.textContent = `Axes ${shown} of ${choices.length}`;
    const boxes = choices.map((choice) => this.choice(choice));
    const reset = document.createElement("button");
    reset.type = "button";
    reset.className = "item";
    reset.textContent = "Reset axes";
    reset.disabled = !window.studioQuery?.params().has("axes");
    reset.addEventListener("click", () => setOrder(this.parallel, []));
    const focused = [...this.panel.querySelectorAll("input")].indexOf(document.activeElement);
    this.panel.replaceChildren(...boxes, document.createElement("hr"), reset);
    if (focused >= 0) this.panel.querySelectorAll("input")[focused]?.focus();
  }

  choice({ name, word, shown, constant, objective }) {
    const label = document.createElement("label");
    label.className = "item";
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = shown;
    // Something is drawn in any case.
    box.disabled = shown && this.parallel.axes.length === 1;
    box.addEventListener("change", () => this.toggle(word, box.checked));
    const text = document.createElement("span");
    text.className = "mono truncate";
    text.textContent = name;
    label.append(box, text);
    const why = constant ? "constant" : objective ? "objective" : "";
    if (why) {
      const small = document.createElement("small");
      small.textContent = why;
      label.append(small);
    }
    return label;
  }

  /** What is shown again comes to its declared place, as far as the others keep their order. */
  toggle(word, isShown) {
    const order = orderOf(this.parallel);
    if (!isShown) return setOrder(this.parallel, order.filter((other) => other !== word));
    const declared = this.parallel.meta.choices.map((choice) => choice.word);
    const before = declared.slice(0, declared.indexOf(word));
    const at = Math.max(-1, ...before.map((other) => order.indexOf(other)));
    order.splice(at + 1, 0, word);
    return setOrder(this.parallel, order);
  }
}
