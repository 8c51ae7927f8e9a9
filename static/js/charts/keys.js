// Entries of a legend that stand for trials of one kind: a press filters everything by that kind,
// another one takes the filter back.

import { isEmpty, read, write } from "./parallel/axes.js";

function toggled(params, { status, missing }) {
  if (missing) {
    const condition = read(params, missing);
    return write(params, missing, { ...condition, missing: !condition.missing });
  }
  const others = params.getAll("status").filter((own) => own !== status);
  const isOn = others.length < params.getAll("status").length;
  params.delete("status");
  params.delete("page");
  others.forEach((own) => params.append("status", own));
  if (!isOn) params.append("status", status);
  return params;
}

function isOn(params, { status, missing }) {
  if (status) return params.getAll("status").includes(status);
  const condition = read(params, missing);
  return !isEmpty(condition) && condition.missing;
}

/** The element of an entry: a button where it can filter. */
export function keyElement(entry) {
  const { studioQuery } = window;
  if (!studioQuery || !(entry.status || entry.missing)) return document.createElement("span");
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.filter = entry.status || `no ${entry.missing}`;
  button.title = `Show only: ${entry.text}`;
  button.setAttribute("aria-pressed", String(isOn(studioQuery.params(), entry)));
  button.addEventListener("click", () => {
    studioQuery.go(toggled(studioQuery.params(), entry), true);
    const pressed = isOn(studioQuery.params(), entry);
    button.setAttribute("aria-pressed", String(pressed));
  });
  return button;
}

/** The focus stays on an entry while its legend is made anew. */
export function keepFocus(old, fresh) {
  const own = old.contains(document.activeElement) && document.activeElement.dataset.filter;
  old.replaceWith(fresh);
  if (own) [...fresh.querySelectorAll("[data-filter]")].find((one) => one.dataset.filter === own)?.focus();
}

/** Pick a trial, or no longer. */
export function togglePick(number) {
  const { studioQuery } = window;
  if (!studioQuery) return;
  const params = studioQuery.params();
  const known = params.getAll("t").join(",").match(/\d+/g) || [];
  const text = String(number);
  const next = known.includes(text) ? known.filter((own) => own !== text) : [...known, text];
  params.delete("t");
  if (next.length) params.set("t", next.join(","));
  else params.delete("only");
  studioQuery.go(params, true);
}
