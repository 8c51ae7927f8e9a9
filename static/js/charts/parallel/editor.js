// The small form of an axis: the same selection as by brush, for the keyboard and for exact numbers.

import { isChosen } from "./axes.js";

let open = null;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  made.append(...children);
  return made;
}

function number(label, value, placeholder) {
  const input = element("input", { type: "text", inputmode: "decimal", class: "form-control", placeholder });
  input.value = value ?? "";
  return element("label", {}, label, input);
}

function checkbox(text, checked) {
  const input = element("input", { type: "checkbox" });
  input.checked = checked;
  return element("label", { class: "axis-choice" }, input, element("span", { class: "truncate" }, text));
}

/** One row of from and to for each span, at least one. */
function ranges(axis, condition) {
  const spans = condition.spans.length ? condition.spans : [[null, null]];
  return spans.map(([low, high]) =>
    element("div", { class: "axis-range" }, number("From", low, axis.lowText), number("To", high, axis.highText)),
  );
}

function parsed(form) {
  const spans = [];
  for (const row of form.querySelectorAll(".axis-range")) {
    const span = [...row.querySelectorAll("input")].map((input) => {
      const text = input.value.trim().replace("\u2212", "-");
      const value = text === "" ? null : Number(text);
      input.toggleAttribute("aria-invalid", Number.isNaN(value) || value === Infinity);
      return value;
    });
    const wrong = row.querySelector("[aria-invalid]");
    if (wrong) return { wrong, message: "Write a number like 0.05 or 1e-4, or leave it empty." };
    if (span[0] !== null && span[1] !== null && span[0] > span[1]) {
      return { wrong: row.querySelector("input"), message: "From must not be above To." };
    }
    if (span[0] !== null || span[1] !== null) spans.push(span);
  }
  return { spans };
}

export function closeEditor(refocus) {
  if (!open) return;
  const { box, button } = open;
  open = null;
  box.remove();
  button.setAttribute("aria-expanded", "false");
  if (refocus) button.focus({ preventScroll: true });
}

export function openEditor(parallel, zone) {
  const { axis, key, name: { button } } = zone;
  const again = open?.button === button;
  closeEditor(again);
  if (again) return;
  const condition = parallel.condition(key);
  const title = element("b", { class: "truncate" }, axis.name);
  const form = element("form", { class: "axis-form", novalidate: "" }, title);
  const box = element("div", { class: "axis-editor", role: "dialog", "aria-label": `Select by ${axis.name}` }, form);
  const error = element("p", { class: "axis-error", role: "alert" });
  const choices = axis.categories?.map((category) => checkbox(category.text, isChosen(condition, category))) || [];
  form.append(...(axis.categories ? [element("div", { class: "axis-choices" }, ...choices)] : ranges(axis, condition)));
  const missing = axis.absent || condition.missing ? checkbox(axis.absentText, condition.missing) : null;
  if (missing) form.append(missing);
  const clear = element("button", { type: "button", class: "btn btn-sm" }, "Clear");
  form.append(error, element("div", { class: "axis-acts" }, element("button", { class: "btn btn-sm btn-primary" }, "Select trials"), clear));
  const submit = (next) => {
    closeEditor(true);
    parallel.select(key, next);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { spans = [], wrong, message } = axis.categories ? {} : parsed(form);
    if (wrong) {
      error.textContent = message;
      wrong.focus();
      return;
    }
    const words = choices.flatMap((label, i) => (label.querySelector("input").checked ? axis.categories[i].words : []));
    submit({ spans, words, missing: Boolean(missing?.querySelector("input").checked) });
  });
  clear.addEventListener("click", () => submit({ spans: [], words: [], missing: false }));
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    closeEditor(true);
  });
  parallel.chart.host.append(box);
  open = { box, button };
  button.setAttribute("aria-expanded", "true");
  place(box, button, parallel.chart.host);
  form.querySelector("input").focus({ preventScroll: true });
}

function place(box, button, host) {
  const [frame, own] = [host.getBoundingClientRect(), button.getBoundingClientRect()];
  const left = own.left + own.width / 2 - frame.left - box.offsetWidth / 2;
  box.style.left = `${Math.min(Math.max(left, 0), Math.max(host.clientWidth - box.offsetWidth, 0))}px`;
  box.style.top = `${own.bottom - frame.top + 4}px`;
}

document.addEventListener("pointerdown", (event) => {
  if (open && !open.box.contains(event.target) && !open.button.contains(event.target)) closeEditor(false);
});
