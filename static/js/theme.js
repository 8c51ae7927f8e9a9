/* Loaded in the head, not deferred: before anything is painted the theme is set, and said (has-js)
   that scripts run. */
(() => {
  "use strict";
  const KEY = "studio:theme";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  function stored() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage may be forbidden; then the system's choice counts
    }
  }

  function apply() {
    const theme = stored() || (dark.matches ? "dark" : "light");
    const root = document.documentElement;
    if (root.dataset.bsTheme === theme) return;
    root.dataset.bsTheme = theme;
    document.dispatchEvent(new CustomEvent("studio:theme", { detail: { theme } }));
  }

  function toggle() {
    const next = document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(KEY, next);
    } catch {
      document.documentElement.dataset.bsTheme = next;
    }
    apply();
  }

  /** Paper is white. */
  function forPaper() {
    document.documentElement.dataset.bsTheme = "light";
    document.dispatchEvent(new CustomEvent("studio:theme", { detail: { theme: "light" } }));
  }

  document.documentElement.classList.add("has-js");
  apply();
  dark.addEventListener("change", apply);
  window.addEventListener("beforeprint", forPaper);
  window.addEventListener("afterprint", apply);
  window.addEventListener("storage", (event) => event.key === KEY && apply());
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-theme-toggle]")) toggle();
  });
})();
