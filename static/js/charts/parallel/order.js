// Which axes stand in which order: axes=a,b,c in the address (names percent-encoded), or as declared.

export function setOrder(parallel, names) {
  const { studioQuery } = window;
  if (!studioQuery) return;
  const params = studioQuery.params();
  const plain = parallel.meta.choices.filter(({ constant, fixed }) => !constant && !fixed);
  const declared = plain.map(({ name }) => name);
  const same = names.length === declared.length && names.every((name, i) => name === declared[i]);
  if (same || !names.length) params.delete("axes");
  else params.set("axes", names.map(encodeURIComponent).join(","));
  studioQuery.go(params, true);
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

  choice({ name, shown, constant, fixed }) {
    const label = document.createElement("label");
    label.className = "item";
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = shown;
    box.disabled = fixed;
    box.addEventListener("change", () => this.toggle(name, box.checked));
    const text = document.createElement("span");
    text.className = "mono truncate";
    text.textContent = name;
    label.append(box, text);
    const why = constant ? "constant" : fixed ? "objective" : "";
    if (why) {
      const small = document.createElement("small");
      small.textContent = why;
      label.append(small);
    }
    return label;
  }

  /** What is shown again comes to its declared place, as far as the others keep their order. */
  toggle(name, isShown) {
    const { axes, meta } = this.parallel;
    const order = axes.filter(({ fixed }) => !fixed).map((axis) => axis.name);
    if (!isShown) return setOrder(this.parallel, order.filter((other) => other !== name));
    const declared = meta.choices.map((choice) => choice.name);
    const before = declared.slice(0, declared.indexOf(name));
    const at = Math.max(-1, ...before.map((other) => order.indexOf(other)));
    order.splice(at + 1, 0, name);
    return setOrder(this.parallel, order);
  }
}
