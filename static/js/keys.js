/* The keys of a page, and the list of them that `?` opens.

   data-key="g s" with data-key-help="go to the sweeps" on a link, button or field: these keys, within
   a second of each other, follow, press or focus it. In tables j and k move from row to row, x ticks
   the row. None of them is heard in a field, in a dialog, or once the reader has turned them off. */
(() => {
  "use strict";
  const OFF = "studio:keys-off";
  const FIELD = "input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable=true]";
  const WITHIN_MS = 1000;
  const dialog = document.getElementById("keys");

  // --- What there is ----------------------------------------------------------------------------
  const isThere = (element) => !element.disabled && !element.closest("[hidden]");
  const named = () => [...document.querySelectorAll("[data-key][data-key-help]")].filter(isThere);
  const rows = () =>
    [...document.querySelectorAll("main tbody tr")].filter(
      (row) => row.checkVisibility() && row.querySelector("a[href]") && !row.matches(".reason"),
    );
  const own = () => document.activeElement?.closest?.("main tbody tr");
  const box = (row) => row?.querySelector("input[type=checkbox]");

  function step(by) {
    const all = rows();
    const at = all.indexOf(own());
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by];
    next?.querySelector("a[href]").focus();
  }

  const TABLE = {
    j: { help: "next row; Enter opens it", is: () => rows().length, press: () => step(1) },
    k: { help: "previous row", is: () => rows().length, press: () => step(-1) },
    x: { help: "select the row", is: () => rows().some(box), press: () => box(own())?.click() },
  };

  /** Escape goes back a step: out of a field that is empty, then out of a selection. */
  function leave(target) {
    if (target.matches?.(FIELD)) {
      if (!target.value) target.blur();
      return;
    }
    const drop = document.querySelector("[data-unpick]");
    if (drop?.checkVisibility()) drop.click();
  }

  // --- The list ---------------------------------------------------------------------------------
  function entry(keys, help) {
    const term = document.createElement("dt");
    const text = document.createElement("dd");
    for (const key of keys.split(" ")) {
      const cap = document.createElement("kbd");
      cap.textContent = key;
      term.append(cap);
    }
    text.textContent = help;
    return [term, text];
  }

  function show() {
    if (dialog.open) return;
    const known = new Map(named().map((element) => [element.dataset.key, element]));
    const part = (name) => dialog.querySelector(`[data-part="${name}"]`);
    const here = [...known].filter(([, element]) => element.closest("main"));
    const around = [...known].filter(([, element]) => !element.closest("main"));
    const words = ([key, element]) => entry(key, element.dataset.keyHelp);
    const moves = Object.entries(TABLE).filter(([key, { is }]) => is() && !known.has(key));
    const page = [...here.flatMap(words), ...moves.flatMap(([key, { help }]) => entry(key, help))];
    part("page").replaceChildren(...page);
    part("page-part").hidden = !page.length;
    part("everywhere").replaceChildren(
      ...around.flatMap(words),
      ...entry("?", "this list"),
      ...entry("Esc", "close what is open, leave a field, drop the selection"),
    );
    dialog.showModal();
  }

  // --- Heard or not -----------------------------------------------------------------------------
  const stored = () => {
    try {
      return localStorage.getItem(OFF);
    } catch {
      return null;
    }
  };
  let off = Boolean(stored());
  const toggle = dialog.querySelector("[data-keys-on]");
  toggle.checked = !off;
  toggle.addEventListener("change", () => {
    off = !toggle.checked;
    try {
      if (off) localStorage.setItem(OFF, "1");
      else localStorage.removeItem(OFF);
    } catch {
      // Then it holds for this page alone.
    }
  });

  function press(element) {
    if (element.matches(FIELD)) {
      element.focus();
      element.select?.();
    } else element.click();
  }

  /** What a key does here, now; nothing for one that has no meaning. */
  function meaning(keys, key) {
    const known = named();
    const find = (words) => known.find((element) => element.dataset.key === words);
    const element = (keys !== key && find(keys)) || find(key);
    if (element) return () => press(element);
    if (key === "?") return show;
    return TABLE[key]?.is() ? TABLE[key].press : null;
  }

  let before = { key: "", at: -WITHIN_MS };
  document.addEventListener("keydown", (event) => {
    const { target, key } = event;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    if (key === "Escape") return leave(target);
    if (off || event.isComposing || target.closest?.(FIELD)) return;
    if (event.repeat && !TABLE[key]) return;
    const recent = event.timeStamp - before.at < WITHIN_MS ? `${before.key} ${key}` : key;
    before = { key, at: event.timeStamp };
    const action = meaning(recent, key);
    if (!action) return;
    event.preventDefault();
    before.at = -WITHIN_MS;
    action();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-show-keys]")) show();
  });
})();
