/* The live chip: Live, Reconnecting or Paused; pressing it (or l) stops and starts the updates.

   Who asks for news says studio:heard, studio:unheard or studio:ended, and minds studio:pause. Parts
   that htmx asks for again and again (hx-trigger="every …") are minded here. */
(() => {
  "use strict";
  const chip = document.querySelector("[data-live-chip]");
  if (!chip) return;
  const word = chip.querySelector("[data-live-word]");
  const ago = chip.querySelector("[data-live-ago]");
  const LOOKS = {
    live: ["Live", "green", "New values appear as they come; press to pause"],
    lost: ["Reconnecting", "amber", "The studio does not answer; asked again every few seconds"],
    paused: ["Paused", "neutral", "What is new is not shown; press to go on"],
  };
  // One answer may get lost; a second one makes it worth saying.
  const LOST = 2;
  const TOLD_MS = 15000;
  let paused = false;
  let failures = 0;
  let heard = Date.now();
  let warning = null;

  function show() {
    const [text, family, title] = LOOKS[paused ? "paused" : failures >= LOST ? "lost" : "live"];
    const seconds = Math.round((Date.now() - heard) / 1000);
    word.textContent = text;
    chip.className = `live-chip js-only family-${family}`;
    chip.title = title;
    chip.setAttribute("aria-pressed", String(!paused));
    ago.textContent = text === "Reconnecting" ? `last update ${seconds} s ago` : "";
  }

  function warn() {
    if (paused || failures < LOST || warning || Date.now() - heard < TOLD_MS) return;
    const text =
      "The studio does not answer; this page shows what it last heard. It goes on by itself: if it " +
      "does not, see whether the studio runs and reload.";
    warning = window.studio.toast(text, "amber", { stays: true });
  }

  function hear() {
    if (failures >= LOST) window.studio.announce("live", "Connected again.");
    failures = 0;
    heard = Date.now();
    warning?.remove();
    warning = null;
    show();
  }
  function fail() {
    failures += 1;
    if (failures === LOST) window.studio.announce("live", "The studio does not answer; reconnecting.");
    show();
    warn();
  }

  document.addEventListener("studio:heard", hear);
  document.addEventListener("studio:unheard", fail);
  document.addEventListener("studio:ended", () => chip.remove());
  setInterval(() => {
    if (!failures || !chip.isConnected) return;
    show();
    warn();
  }, 1000);

  chip.addEventListener("click", () => {
    paused = !paused;
    if (!paused) heard = Date.now();
    document.dispatchEvent(new CustomEvent("studio:pause", { detail: { paused } }));
    show();
  });

  // Asked for by htmx -----------------------------------------------------------------------------
  const repeats = (event) =>
    event.detail.elt?.getAttribute?.("hx-trigger")?.startsWith("every") &&
    !event.detail.requestConfig?.triggeringEvent?.isTrusted;
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (paused && repeats(event)) event.preventDefault();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!repeats(event)) return;
    if (event.detail.successful) hear();
    else fail();
  });
  show();
})();
