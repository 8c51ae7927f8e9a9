/* Ticked trials: the bar below, at most eight, and the keys x and c. */
(() => {
  "use strict";
  const MOST = 8;
  const boxes = () => [...document.querySelectorAll('input[type=checkbox][form="compare-form"]')];
  const picked = () => boxes().filter((box) => box.checked);

  function refresh() {
    const bar = document.getElementById("compare-form");
    if (!bar) return;
    const chosen = picked();
    bar.hidden = chosen.length === 0;
    const words = bar.querySelector("[data-picked]");
    words.textContent = `${chosen.length} selected: ${chosen.map((box) => `#${box.value}`).join(" ")}`;
    const compare = bar.querySelector("[data-compare]");
    compare.disabled = chosen.length < 2;
    boxes().forEach((box) => {
      box.disabled = !box.checked && chosen.length >= MOST;
      box.closest("tr")?.classList.toggle("is-selected", box.checked);
    });
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches('input[form="compare-form"]')) refresh();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-unpick]")) return;
    boxes().forEach((box) => {
      box.checked = false;
    });
    refresh();
  });
  document.addEventListener("studio:news", refresh);
  document.addEventListener("htmx:afterSwap", refresh);
  refresh();
})();
