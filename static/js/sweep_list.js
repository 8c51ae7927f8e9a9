/* The list of sweeps: searching while one types, and the bar of what is ticked. */
(() => {
  "use strict";
  const TYPING_MS = 250;
  const bar = document.getElementById("selected-form");
  const search = document.querySelector("[data-search]");
  const boxes = () => [...document.querySelectorAll('input[name="s"][form="selected-form"]')];

  // What is typed becomes part of the address, and live.js brings the rows for it.
  let typing = 0;
  function find(push) {
    clearTimeout(typing);
    const words = window.studioQuery.params();
    const text = search.elements.q.value.trim();
    if (text) words.set("q", text);
    else words.delete("q");
    words.delete("page");
    window.studioQuery.go(words, push);
  }
  search.addEventListener("submit", (event) => {
    event.preventDefault();
    find(true);
  });
  search.elements.q.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(find, TYPING_MS, false);
  });
  document.addEventListener("studio:query", () => {
    const text = window.studioQuery.params().get("q") || "";
    if (document.activeElement !== search.elements.q) search.elements.q.value = text;
    bar.elements.back.value = window.location.search || "?";
  });

  function refresh() {
    const all = boxes();
    const ticked = all.filter((box) => box.checked);
    all.forEach((box) => box.closest("tr").classList.toggle("is-selected", box.checked));
    bar.hidden = ticked.length === 0;
    const words = ticked.length === 1 ? "1 sweep selected" : `${ticked.length} sweeps selected`;
    bar.querySelector("[data-picked]").textContent = words;
    for (const button of bar.querySelectorAll("[data-least], [data-only]")) {
      const { least, only } = button.dataset;
      button.disabled = only ? ticked.length !== Number(only) : ticked.length < Number(least);
    }
    const head = document.querySelector("[data-tick-all]");
    if (!head) return;
    head.checked = all.length > 0 && ticked.length === all.length;
    head.indeterminate = ticked.length > 0 && ticked.length < all.length;
  }
  function tickAll(on) {
    boxes().forEach((box) => {
      box.checked = on;
    });
    refresh();
  }
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-tick-all]")) tickAll(event.target.checked);
    else if (event.target.matches('input[form="selected-form"]')) refresh();
  });
  bar.querySelector("[data-unpick]").addEventListener("click", () => tickAll(false));
  document.addEventListener("studio:news", refresh);
  document.addEventListener("studio:placed", refresh);
  refresh();
})();
