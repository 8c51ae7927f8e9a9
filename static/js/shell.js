/* Small behaviours of the frame: menus, copying, toasts, lost connections. */
(() => {
  "use strict";

  // Menus -------------------------------------------------------------------------------------
  const openMenus = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", (event) => {
    for (const menu of openMenus()) {
      const chosen = event.target.closest?.("a.item, button.item, .menu-panel [type=submit]");
      if (!menu.contains(event.target) || chosen) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of openMenus()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // Toasts: HX-Trigger {"studio:toast": {"text": …, "family": …}} or studio.toast(text, family) --
  const ICONS = {
    blue: "info-circle",
    green: "circle-check",
    amber: "alert-triangle",
    red: "alert-circle",
  };
  // What went wrong stays until it is closed; what is read or pointed at does not go either.
  function toast(text, family = "blue", { stays = family === "red" } = {}) {
    const area = document.getElementById("toasts");
    const note = document.getElementById("toast-template").content.firstElementChild.cloneNode(true);
    const use = note.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#i-${ICONS[family]}`));
    note.classList.add(`family-${family}`);
    note.querySelector("div").textContent = text;
    note.querySelector(".close").addEventListener("click", () => note.remove());
    for (const old of [...area.children])
      if (old.querySelector("div").textContent === text) old.remove();
    area.append(note);
    if (stays) return note;
    const leave = () => {
      if (note.matches(":hover, :focus-within")) setTimeout(leave, 2000);
      else note.remove();
    };
    setTimeout(leave, family === "amber" ? 12000 : 6000);
    return note;
  }
  document.addEventListener("studio:toast", (event) =>
    toast(event.detail.text ?? event.detail.value, event.detail.family),
  );

  // Copying -----------------------------------------------------------------------------------
  function oldCopy(text) {
    // Without https (another machine in the lab) browsers have no clipboard object.
    const area = document.createElement("textarea");
    area.value = text;
    area.setAttribute("readonly", "");
    area.style.cssText = "position:fixed;top:0;opacity:0";
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    if (!copied) throw new Error("copying is not allowed here");
  }
  // Where the browser lets nobody copy for the person: the text, selected.
  function showToCopy(text) {
    const dialog = document.getElementById("copy-by-hand");
    const area = dialog.querySelector("textarea");
    area.value = text;
    dialog.showModal();
    area.focus();
    area.select();
  }
  async function textToCopy(button) {
    const { copyUrl, copyFrom, copyHere, copy: own } = button.dataset;
    if (copyHere !== undefined) return location.href;
    if (copyUrl !== undefined) {
      const answer = await fetch(button.href);
      if (!answer.ok || answer.redirected) throw new Error(`status ${answer.status}`);
      return answer.text();
    }
    const from = copyFrom && document.querySelector(copyFrom);
    return from ? (from.value ?? from.textContent) : own;
  }
  async function copy(text) {
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else oldCopy(text);
  }
  function sayCopied(button) {
    if (button.closest(".menu-panel")) return toast("Copied.", "green"); // the menu closes
    const label = [...button.childNodes].findLast(
      (node) => node.nodeType === Node.TEXT_NODE && node.data.trim(),
    );
    if (!label) return toast("Copied.", "green");
    if (button.dataset.before === undefined) button.dataset.before = label.data;
    button.style.minWidth = `${button.getBoundingClientRect().width}px`; // nothing beside it jumps
    label.data = "Copied";
    setTimeout(() => {
      label.data = button.dataset.before;
    }, 1500);
  }
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy], [data-copy-from], [data-copy-url], [data-copy-here]");
    if (!button) return;
    event.preventDefault();
    let text;
    try {
      text = await textToCopy(button);
    } catch {
      return toast("Could not reach the studio; nothing was copied.", "amber");
    }
    try {
      await copy(text);
      sayCopied(button);
    } catch {
      showToCopy(text);
    }
  });

  // When a request fails, say so; a page that polls says it itself in its live chip -------------
  const quiet = (event) => event.detail.elt?.closest?.("[data-quiet-errors]");
  document.addEventListener("htmx:sendError", (event) => {
    if (!quiet(event)) toast("Could not reach the studio; nothing was lost.", "amber");
  });
  document.addEventListener("htmx:timeout", (event) => {
    if (!quiet(event)) toast("The studio takes long to answer; nothing was lost.", "amber");
  });
  document.addEventListener("htmx:responseError", (event) => {
    if (quiet(event)) return;
    const { status } = event.detail.xhr;
    const sentences = {
      403: "You may not do this here. Reload the page if you have just signed in; else ask an owner of the workspace.",
      404: "That is no longer there; reload the page.",
      409: "That is not possible in the present state; reload the page.",
      413: "That is too large to send.",
    };
    const other = `The studio answered with an error (${status}). Try again; its log says more.`;
    toast(sentences[status] || other, "red");
  });

  // A form that came back refused: to the list of what is wrong, or to the first wrong field.
  if (performance.getEntriesByType("navigation")[0]?.responseStatus === 422) {
    const list = document.querySelector("main [role=alert][tabindex]");
    (list || document.querySelector("main [aria-invalid=true]"))?.focus();
  }

  // A select that leads to sections of a long form, on narrow screens.
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("select[data-goes-to-section]")) location.hash = event.target.value;
  });

  window.studio = Object.assign(window.studio || {}, { toast, copy });
})();
