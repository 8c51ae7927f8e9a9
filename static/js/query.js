/* The page's address is its state: which trials are selected, how tables and charts show them.

   window.studioQuery.params()           the words of the address, to be changed
   window.studioQuery.go(params, push)   shows the page with these words; a step of the history
                                         unless push is false
   Links with data-query change the address without a reload; links with data-carry take the
   selection along to another tab; those with data-word="name=value" load the page anew with that
   word (without "=value": without it), with data-query too: show it so, and of some of these side by
   side the one that holds is marked. Event studio:query (out): the address has changed. */
(() => {
  "use strict";
  const CARRIED = ["status", "q", "signature", "in", "is", "no", "tag", "pinned", "only", "t"];

  const params = () => new URLSearchParams(window.location.search);

  function changed() {
    carry();
    // How many are shown is not known until the server has counted anew.
    document.querySelectorAll(".chips > b").forEach((count) => count.classList.add("is-asked"));
    document.dispatchEvent(new CustomEvent("studio:query"));
    window.studioLive?.refresh();
  }

  function go(words, push = true) {
    const text = words.toString();
    const address = text ? `?${text}` : window.location.pathname;
    if (address === window.location.search) return;
    window.history[push ? "pushState" : "replaceState"]({ studio: true }, "", address);
    changed();
  }

  function carry() {
    const here = params();
    const kept = new URLSearchParams();
    CARRIED.forEach((word) => here.getAll(word).forEach((value) => kept.append(word, value)));
    document.querySelectorAll("a[data-carry]").forEach((link) => {
      link.search = kept.toString();
    });
    document.querySelectorAll("a[data-word]").forEach((link) => {
      const [word, value] = link.dataset.word.split("=");
      const words = params();
      if (value) words.set(word, value);
      else words.delete(word);
      link.search = words.toString();
      if (!link.hasAttribute("data-query")) return;
      if (words.toString() === params().toString()) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-query]");
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (!link || !plain || event.defaultPrevented) return;
    event.preventDefault();
    go(new URL(link.href).searchParams);
  });
  window.addEventListener("popstate", changed);
  document.addEventListener("htmx:pushedIntoHistory", () => {
    carry();
    document.dispatchEvent(new CustomEvent("studio:query"));
  });

  window.studioQuery = { params, go };
})();
