/* Times: the server writes ages and UTC, the reader sees ages and the own zone; in full on hover,
   on focus, and everywhere after the key t (data-times), which this browser remembers. */
(() => {
  "use strict";
  const KEY = "studio:times-in-full";
  const STEPS = [
    [60, 1, "s"],
    [3600, 60, "min"],
    [86400, 3600, "h"],
  ];
  const format = (options) => new Intl.DateTimeFormat("en-GB", options);
  const day = { day: "numeric", month: "short", year: "numeric" };
  const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit" };
  const full = format({ ...day, ...clock, timeZoneName: "short" });
  const month = format({ month: "short" });

  function stored() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  }
  let inFull = Boolean(stored());

  function ago(moment, now) {
    const seconds = (now - moment) / 1000;
    const size = Math.abs(seconds);
    if (size < 1) return "just now";
    const step = STEPS.find(([limit]) => size < limit);
    if (!step) return date(moment, now);
    const text = `${Math.floor(size / step[1])} ${step[2]}`;
    return seconds > 0 ? `${text} ago` : `in ${text}`;
  }

  function date(moment, now) {
    const year = moment.getFullYear() === now.getFullYear() ? "" : ` ${moment.getFullYear()}`;
    return `${moment.getDate()} ${month.format(moment)}${year} ${moment.toTimeString().slice(0, 5)}`;
  }

  function refresh() {
    const now = new Date();
    for (const time of document.querySelectorAll("time[data-ago]")) {
      const moment = new Date(time.dateTime);
      const title = full.format(moment);
      const text = inFull ? title : ago(moment, now);
      if (time.textContent !== text) time.textContent = text;
      time.title = title;
      // In a table every row would have one more stop; there the key t tells.
      if (!time.closest("table, a, button")) time.tabIndex = 0;
    }
  }

  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-times]")) return;
    inFull = !inFull;
    try {
      if (inFull) localStorage.setItem(KEY, "1");
      else localStorage.removeItem(KEY);
    } catch {
      // Then it holds for this page alone.
    }
    refresh();
  });
  ["htmx:afterSettle", "studio:news", "studio:placed"].forEach((name) =>
    document.addEventListener(name, refresh),
  );
  setInterval(refresh, 5000);
  refresh();
  window.studio = Object.assign(window.studio || {}, { refreshTimes: refresh });
})();
