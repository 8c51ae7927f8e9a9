/* Notices of the browser, for those who turned them on here: sweeps that end, break or find a new
   best, while any page of the studio is open.

   body[data-notices] is the address to ask. [data-browser-notices] are the buttons that turn them
   on and off; what they say stands in their data-on, data-off, and in [data-notices-word] beside
   them. Nobody is asked for permission but by such a button. */
(() => {
  "use strict";
  const url = document.body.dataset.notices;
  const buttons = [...document.querySelectorAll("[data-browser-notices]")];
  if (!url) return;

  const EVERY_MS = 10000;
  const CHOICE = "studio-notices";
  const SHOWN = "studio-notices-shown";
  const AFTER = "studio-notices-after";
  const WORDS = {
    off: "Off: this browser tells you nothing.",
    on: "On: while a page of the studio is open, this browser tells you of your sweeps.",
    denied: "Blocked: allow notifications of this site in the browser’s settings first.",
    unable: "This browser shows notifications of pages over https or on this machine only.",
  };
  let timer = 0;
  let asking = false;

  /** Stores may be forbidden; then nothing is remembered. */
  function kept(store, key, value) {
    try {
      if (value === undefined) return store.getItem(key);
      store.setItem(key, value);
    } catch {
      // no store
    }
    return null;
  }

  function state() {
    if (!("Notification" in window) || !window.isSecureContext) return "unable";
    if (Notification.permission === "denied") return "denied";
    const chosen = kept(localStorage, CHOICE) === "on";
    return chosen && Notification.permission === "granted" ? "on" : "off";
  }

  function draw() {
    const now = state();
    for (const button of buttons) {
      const words = now === "on" ? button.dataset.on : button.dataset.off;
      const label = button.querySelector("[data-label]");
      if (label) label.textContent = words;
      else button.setAttribute("aria-label", words);
      button.title = WORDS[now];
      button.disabled = now === "denied" || now === "unable";
      button.toggleAttribute("data-is-on", now === "on");
    }
    for (const word of document.querySelectorAll("[data-notices-word]"))
      word.textContent = WORDS[now];
  }

  async function toggle() {
    const wanted = state() !== "on";
    if (wanted && Notification.permission !== "granted") await Notification.requestPermission();
    const on = wanted && Notification.permission === "granted";
    kept(localStorage, CHOICE, on ? "on" : "off");
    draw();
    window.studio?.toast?.(WORDS[state()], on ? "green" : "blue");
    if (on) ask();
  }

  /** The sweep of this page, as workspace/name. */
  function ownSweep() {
    const found = /^\/w\/([^/]+)\/sweeps\/([^/]+)\//.exec(window.location.pathname);
    return found ? `${decodeURIComponent(found[1])}/${decodeURIComponent(found[2])}` : "";
  }

  /** True for the first tab that comes with it. */
  function isFirst(key) {
    let shown = [];
    try {
      shown = JSON.parse(kept(localStorage, SHOWN) || "[]");
    } catch {
      // begun anew
    }
    if (shown.includes(key)) return false;
    kept(localStorage, SHOWN, JSON.stringify([...shown.slice(-49), key]));
    return true;
  }

  function tell({ key, tag, title, body, url: place }) {
    if (!isFirst(key)) return;
    const looksAtIt = document.hasFocus() && window.location.pathname.startsWith(place);
    if (looksAtIt) return;
    try {
      const notice = new Notification(title, { body, tag });
      notice.addEventListener("click", () => {
        window.focus();
        window.location.assign(place);
        notice.close();
      });
    } catch {
      // Browsers of phones allow it to service workers only.
      kept(localStorage, CHOICE, "off");
      window.studio?.toast?.("This browser shows no notifications of pages.", "amber");
      draw();
    }
  }

  async function ask() {
    if (asking || state() !== "on") return;
    asking = true;
    clearTimeout(timer);
    try {
      const query = new URLSearchParams({ sweep: ownSweep() });
      const after = kept(sessionStorage, AFTER);
      if (after) query.set("after", after);
      const answer = await fetch(`${url}?${query}`, { headers: { Accept: "application/json" } });
      if (answer.redirected) return; // signed out
      if (answer.ok) {
        const news = await answer.json();
        kept(sessionStorage, AFTER, news.cursor);
        news.notices.forEach(tell);
      }
      timer = setTimeout(ask, EVERY_MS);
    } catch {
      timer = setTimeout(ask, EVERY_MS);
    } finally {
      asking = false;
    }
  }

  /** The page shows another status: that may be worth a notice at once. */
  let status = document.querySelector("#job-status .status")?.textContent;
  document.addEventListener("studio:news", () => {
    const now = document.querySelector("#job-status .status")?.textContent;
    if (now === status) return;
    status = now;
    ask();
  });

  buttons.forEach((button) => button.addEventListener("click", toggle));
  window.addEventListener("storage", (event) => {
    if (event.key !== CHOICE) return;
    draw();
    ask();
  });
  draw();
  ask();
})();
