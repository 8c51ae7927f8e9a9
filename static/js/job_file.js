/* The job file of the new-sweep page: checked while one types, and links that lead to its lines. */
(() => {
  "use strict";
  const PAUSE = 400;
  const field = () => document.getElementById("f-file");
  let timer;

  // The studio checks after a pause; what is typed meanwhile stays, see new_sweep.js.
  document.addEventListener("input", (event) => {
    if (event.target !== field()) return;
    clearTimeout(timer);
    timer = setTimeout(() => field() && htmx.trigger("#preview-trigger", "preview"), PAUSE);
  });

  function selectLine(area, number) {
    const lines = area.value.split("\n");
    const start = lines.slice(0, number - 1).join("\n").length + (number > 1 ? 1 : 0);
    area.focus();
    area.setSelectionRange(start, start + (lines[number - 1] ?? "").length);
    const height = Number.parseFloat(getComputedStyle(area).lineHeight) || 20;
    area.scrollTop = Math.max(0, (number - 4) * height);
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-to-line]");
    if (!link || !field()) return;
    event.preventDefault();
    const number = Number(link.dataset.toLine);
    const asked = new CustomEvent("studio:line", { detail: number, cancelable: true });
    if (field().dispatchEvent(asked)) selectLine(field(), number);
  });
})();
