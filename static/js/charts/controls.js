// The options of a chart: a form of selects that works by itself; here each one changes only its own
// word of the address, and follows what the server says there is to choose.

function optionOf([value, text]) {
  const made = document.createElement("option");
  made.value = value;
  made.textContent = text;
  return made;
}

function selectOf(form, { word, label }) {
  const known = [...form.elements].find((one) => one.name === word && one.tagName === "SELECT");
  if (known) return known;
  const [made, text, select] = ["label", "span", "select"].map((name) => document.createElement(name));
  text.textContent = label;
  select.name = word;
  made.append(text, select);
  form.append(made);
  return select;
}

/** Bring the selects in `frame` to what the newest payload says; an open one is left alone. */
export function renew(frame, controls) {
  const form = frame.querySelector("[data-chart-options]");
  if (!form || !controls) return;
  const words = new Set(controls.map(({ word }) => word));
  form.querySelectorAll("select").forEach((select) => {
    if (!words.has(select.name)) select.closest("label").remove();
  });
  controls.forEach((control) => {
    const select = selectOf(form, control);
    select.dataset.usual = control.usual;
    const shown = [...select.options].map((one) => [one.value, one.textContent]);
    if (JSON.stringify(shown) !== JSON.stringify(control.choices)) {
      select.replaceChildren(...control.choices.map(optionOf));
    }
    select.value = control.value;
  });
}

function changed(select) {
  const words = window.studioQuery.params();
  if (select.value === select.dataset.usual) words.delete(select.name);
  else words.set(select.name, select.value);
  window.studioQuery.go(words);
}

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-chart-options] select")) changed(event.target);
});
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-chart-options]")) event.preventDefault();
});
