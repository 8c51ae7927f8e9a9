/* The tools of the trials table without a reload: find by text, filter by a field, pick columns.
   Each is a form that also works as one. */
(() => {
  "use strict";
  const YEAR_S = 31536000;
  const LONGEST_COOKIE = 3500;
  const TYPING_MS = 300;
  let typing = 0;

  /** The address that a form would lead to, from the first page on. */
  function wordsOf(form) {
    const words = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value) words.append(name, value);
    words.delete("page");
    return words;
  }

  function find(input, push) {
    clearTimeout(typing);
    const words = window.studioQuery.params();
    words.delete("page");
    if (input.value.trim()) words.set("q", input.value);
    else words.delete("q");
    window.studioQuery.go(words, push);
  }

  document.addEventListener("input", (event) => {
    if (!event.target.matches("#find-form input[type=search]")) return;
    clearTimeout(typing);
    typing = setTimeout(() => find(event.target, false), TYPING_MS);
  });

  // Columns ------------------------------------------------------------------------------------
  function remember(form, value) {
    const path = form.dataset.cookiePath;
    const text = encodeURIComponent(value);
    const age = value && text.length < LONGEST_COOKIE ? YEAR_S : 0;
    document.cookie = `cols=${text}; path=${path}; max-age=${age}; samesite=lax`;
  }

  function pickColumns(form) {
    const taken = [...form.querySelectorAll("input[name=cols]:checked")].map((box) => box.value);
    const words = wordsOf(form);
    words.delete("cols");
    if (taken.length) words.set("cols", taken.join(","));
    remember(form, taken.join(","));
    form.closest("details").open = false;
    window.studioQuery.go(words);
  }

  document.addEventListener("click", (event) => {
    const mover = event.target.closest?.("[data-move]");
    const row = mover?.closest("li");
    if (row?.previousElementSibling) {
      row.previousElementSibling.before(row);
      mover.focus();
    }
    const standard = event.target.closest?.("[data-forget-columns]");
    if (!standard) return;
    remember(standard.closest("form"), "");
    standard.closest("details").open = false;
    const words = window.studioQuery.params();
    event.preventDefault();
    if (words.has("cols")) {
      words.delete("cols");
      window.studioQuery.go(words);
    } else window.studioLive?.refresh();
  }, true);

  // Filters ------------------------------------------------------------------------------------
  async function narrow(form) {
    const answer = await fetch(`${form.action}?${wordsOf(form)}`, {
      headers: { "X-Fragment": "1" },
    });
    const query = answer.headers.get("X-Query");
    if (query) {
      form.closest("details").open = false;
      form.reset();
      window.studioQuery.go(new URLSearchParams(query));
    } else if (answer.ok) {
      form.outerHTML = await answer.text();
      offerWords();
      document.querySelector("#narrow-form [aria-invalid]")?.focus();
    } else throw new Error(String(answer.status));
  }

  /** The known values of the chosen field. */
  function offerWords() {
    const field = document.getElementById("narrow-key");
    const words = field?.selectedOptions[0]?.dataset.words;
    const input = document.getElementById("narrow-word");
    if (!input) return;
    if (words) input.setAttribute("list", words);
    else input.removeAttribute("list");
  }
  document.addEventListener("change", (event) => {
    if (event.target.id === "narrow-key") offerWords();
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!["find-form", "columns-form", "narrow-form"].includes(form.id)) return;
    event.preventDefault();
    if (form.id === "find-form") find(form.elements.q, true);
    if (form.id === "columns-form") pickColumns(form);
    if (form.id === "narrow-form") {
      narrow(form).catch(() => window.studio.toast("Could not reach the studio.", "amber"));
    }
  });
  offerWords();
})();
