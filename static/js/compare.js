/* Comparing: from one row that differs to the next, [data-step-difference="1"] or "-1". */
(() => {
  "use strict";
  const rows = () => [...document.querySelectorAll("[data-compare-table] tr[data-differs]")];

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-step-difference]");
    if (!button) return;
    const all = rows();
    if (!all.length) return;
    const at = all.findIndex((row) => row.classList.contains("is-lit"));
    const by = Number(button.dataset.stepDifference);
    const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : (at + by + all.length) % all.length;
    all[at]?.classList.remove("is-lit");
    all[next].classList.add("is-lit");
    all[next].scrollIntoView({ block: "center", inline: "nearest" });
    all[next].focus({ preventScroll: true });
  });
})();
