/* The new-sweep form: what is typed while an answer is on its way outlives that answer. */
(() => {
  "use strict";

  // The field in which one types is left alone; opened details stay open.
  Idiomorph.defaults.ignoreActiveValue = true;
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, element) =>
    !(name === "open" && element.tagName === "DETAILS");

  const form = () => document.getElementById("sweep-form");
  const within = (element) => element instanceof Element && form()?.contains(element);
  const isTicked = (field) => field.type === "radio" || field.type === "checkbox";
  const state = (field) => (isTicked(field) ? field.checked : field.value);

  // Fields changed since the last request left, with their names: a morph may reuse an element.
  const changed = new Map();
  let sent = [];

  function note(event) {
    const field = event.target;
    if (within(field) && field.name) changed.set(field, field.name);
  }
  document.addEventListener("input", note);
  document.addEventListener("change", note);

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target !== form()) return;
    changed.clear();
    sent = [...form().querySelectorAll("input[type=file]")].filter((field) => field.files.length);
  });

  let later = [];
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target !== form()) return;
    // Sent files are kept on the server now; sending them again would keep them twice.
    for (const field of sent) if (!changed.has(field)) field.value = "";
    later = [...changed]
      .filter(([field]) => field.type !== "file")
      .map(([field, name]) => [field, name, state(field)]);
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== form() && event.target !== form()) return;
    const again = changed.size > 0;
    for (const [field, name, value] of later) {
      if (!field.isConnected || field.name !== name) continue;
      if (isTicked(field)) field.checked = value;
      else if (field.value !== value) field.value = value;
    }
    later = [];
    // Not yet: until this answer is dealt with, htmx drops a further request of the form.
    if (again) queueMicrotask(() => htmx.trigger("#preview-trigger", "preview"));
  });

  // What was typed outlives leaving the page: it is there again after Back, after a reload, and after
  // signing in because the session had ended; for the same person only.
  const KEY = `new-sweep:${location.pathname}${location.search}`;
  const who = document.body.dataset.person;
  const cameFromSignIn = () =>
    document.referrer.startsWith(`${location.origin}/accounts/login/`);
  window.addEventListener("pagehide", () => {
    if (!form()) return;
    const kept = [...new FormData(form())].filter(
      ([name, value]) => typeof value === "string" && name !== "csrfmiddlewaretoken",
    );
    try {
      sessionStorage.setItem(KEY, JSON.stringify({ who, kept }));
    } catch {
      // Too large, or not allowed: then it is as without.
    }
  });
  function restore() {
    const [way] = performance.getEntriesByType("navigation");
    if (!["back_forward", "reload"].includes(way?.type) && !cameFromSignIn()) return;
    let found;
    try {
      found = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
    } catch {
      return;
    }
    if (found.who !== who || !found.kept?.length) return;
    const values = {};
    for (const [name, value] of found.kept) (values[name] ??= []).push(value);
    htmx.ajax("POST", form().getAttribute("action"), {
      source: "#preview-trigger",
      target: "#sweep-form",
      swap: "morph:outerHTML",
      values: { ...values, action: "preview" },
    });
  }
  window.addEventListener("load", restore);

  // After a refused submit, the first wrong field is where one goes on.
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.xhr?.status !== 422 || event.target !== form()) return;
    const wrong = form().querySelector('[aria-invalid="true"]');
    if (wrong && !form().contains(document.activeElement?.closest("input, select, textarea")))
      wrong.focus();
  });
})();
