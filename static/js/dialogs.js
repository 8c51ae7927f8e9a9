/* Asking before something is lost.

   data-confirm="What will happen" on a form, a button or a link with hx-*:
     data-confirm-title   the question
     data-confirm-action  verb + noun of the button that does it (default: the control's own words)
     data-confirm-keep    the other button (default: Keep it)
     data-confirm-type    a name that has to be typed first */
(() => {
  "use strict";
  const part = (dialog, name) => dialog.querySelector(`[data-part="${name}"]`);

  function ask(source) {
    const dialog = document.getElementById("confirm");
    const words = source.dataset;
    const go = part(dialog, "go");
    const typed = part(dialog, "typed");
    const input = typed.querySelector("input");
    const own = source.textContent.trim().replace(/\s+/g, " ");
    const action = words.confirmAction || (source.tagName === "FORM" ? "Go on" : own);
    part(dialog, "title").textContent = words.confirmTitle || `${action}?`;
    part(dialog, "text").textContent = words.confirm;
    part(dialog, "keep").textContent = words.confirmKeep || "Keep it";
    go.textContent = action;
    typed.hidden = !words.confirmType;
    input.value = "";
    typed.querySelector("label").textContent = `Type ${words.confirmType} to go on`;
    const check = () => {
      go.disabled = Boolean(words.confirmType) && input.value !== words.confirmType;
    };
    input.oninput = check;
    check();
    dialog.returnValue = "";
    dialog.showModal();
    if (words.confirmType) input.focus();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => resolve(dialog.returnValue === "go"), { once: true });
    });
  }

  // Enter in the name field must not press the first button, which keeps things.
  document.getElementById("confirm-typed").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const go = part(document.getElementById("confirm"), "go");
    if (!go.disabled) go.click();
  });

  const confirmed = new WeakSet();
  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      const source = [event.submitter, form].find((element) => element?.dataset?.confirm);
      if (!source || confirmed.delete(form)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      ask(source).then((yes) => {
        if (!yes) return;
        confirmed.add(form);
        form.requestSubmit(event.submitter);
      });
    },
    true,
  );
  document.addEventListener("htmx:confirm", (event) => {
    const source = event.detail.elt;
    if (source.tagName === "FORM" || !source.dataset.confirm) return; // forms: see above
    event.preventDefault();
    ask(source).then((yes) => yes && event.detail.issueRequest(true));
  });

  document.addEventListener("click", (event) => {
    if (event.target.tagName === "DIALOG") event.target.close(); // a click on the backdrop
  });
})();
