/* Speaks to those who do not see the page: studio.announce(kind, text).

   At most every ten seconds, so that a busy sweep does not talk without end; of each kind only the
   newest is said. */
(() => {
  "use strict";
  const PAUSE_MS = 10000;
  const waiting = new Map();
  let quietUntil = 0;
  let timer = 0;

  function speak() {
    const area = document.getElementById("announcer");
    area.textContent = [...waiting.values()].join(" ");
    waiting.clear();
    quietUntil = performance.now() + PAUSE_MS;
  }

  function announce(kind, text) {
    waiting.set(kind, text);
    clearTimeout(timer);
    timer = setTimeout(speak, Math.max(0, quietUntil - performance.now()));
  }

  window.studio = Object.assign(window.studio || {}, { announce });
})();
