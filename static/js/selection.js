/* Ticked trials. They are the words t= of the page's address, which charts and tables share, so
   they outlast pages, orders and live updates; the bar below comes from the server with them.

   input[form=compare-form]  a trial's box; with Shift the whole range from the last one
   [data-tick-all]           the box in the head: all trials shown, as many as an address holds */
(() => {
  "use strict";
  const MOST = 200;
  const WAIT_MS = 120;
  let ticked = read();
  let timer = 0;
  let last = null;

  function read() {
    const words = window.studioQuery?.params().getAll("t").join(",") || "";
    return new Set(words.match(/\d{1,8}/g) || []);
  }

  const boxes = () => [...document.querySelectorAll('input[type=checkbox][form="compare-form"]')];

  function show() {
    const all = boxes();
    all.forEach((box) => {
      box.checked = ticked.has(box.value);
      box.closest("tr")?.classList.toggle("is-selected", box.checked);
    });
    offer();
    const head = document.querySelector("[data-tick-all]");
    if (!head) return;
    const count = all.filter((box) => box.checked).length;
    head.checked = count > 0 && count === all.length;
    head.indeterminate = count > 0 && count < all.length;
  }

  /** The address follows when nobody ticks any more: charts need not draw each step. */
  function tell() {
    show();
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = 0;
      const words = window.studioQuery.params();
      words.delete("t");
      if (ticked.size) words.set("t", [...ticked].join(","));
      else words.delete("only");
      window.studioQuery.go(words, false);
    }, WAIT_MS);
  }

  function tick(values, on) {
    values.forEach((value) => {
      if (!on) ticked.delete(value);
      else if (ticked.size < MOST) ticked.add(value);
    });
    if (on && values.some((value) => !ticked.has(value))) {
      window.studio.toast(
        `At most ${MOST} trials are ticked at a time. With “all that match” in the bar, filters decide instead.`,
        "amber",
      );
    }
    tell();
  }

  /** From the box that was ticked last to this one. */
  function range(box) {
    const all = boxes();
    const [from, to] = [all.findIndex((one) => one.value === last), all.indexOf(box)].sort(
      (a, b) => a - b,
    );
    return from < 0 ? [box.value] : all.slice(from, to + 1).map((one) => one.value);
  }

  document.addEventListener("click", (event) => {
    const box = event.target;
    if (!box.matches?.('input[form="compare-form"]')) return;
    tick(event.shiftKey ? range(box) : [box.value], box.checked);
    last = box.value;
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-tick-all]")) {
      const values = boxes().map((box) => box.value);
      tick(values, event.target.checked);
    }
  });

  /** What the buttons of the bar will do, in numbers; those that apply to none say why. */
  function offer() {
    const scope = document.querySelector("[data-offer-scope]");
    scope?.form.querySelectorAll("[data-offer]").forEach((button) => {
      const words = button.dataset;
      const all = scope.value === "all";
      const why = all ? words.allWhy : words.pickedWhy;
      button.querySelector("[data-offer-label]").textContent = all ? words.allLabel : words.pickedLabel;
      words.confirmTitle = all ? words.allAsk : words.pickedAsk;
      button.disabled = Boolean(why);
      button.title = why || words.title;
    });
  }
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-offer-scope]")) offer();
  });

  document.addEventListener("studio:query", () => {
    if (!timer) ticked = read();
    show();
  });
  for (const name of ["studio:news", "studio:placed"]) document.addEventListener(name, show);
  show();
})();
