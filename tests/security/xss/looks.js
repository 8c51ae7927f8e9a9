/* What a page must not hold, whatever its texts say; gives what was found, in words. With `html`
   that is looked at, parsed but not shown, instead of the page that is open. */
(html) => {
  const page = html == null ? document : new DOMParser().parseFromString(html, "text/html");
  const found = [];
  const told = (what, node) => found.push(`${what}: ${node.outerHTML.slice(0, 160)}`);
  if (window.xss7 !== undefined) found.push("a text has run as script");
  const all = [...page.querySelectorAll("*")];
  const roots = all.map((node) => node.shadowRoot).filter(Boolean);
  for (const node of [...all, ...roots.flatMap((root) => [...root.querySelectorAll("*")])]) {
    const tag = node.localName;
    if (tag === "script" && !node.src && node.type !== "application/json") told("script", node);
    if (["iframe", "object", "embed", "base", "applet", "math", "marquee", "video", "audio"].includes(tag)) {
      told("element", node);
    }
    if (node instanceof HTMLUnknownElement) told("unknown element", node);
    if (tag === "meta" && node.httpEquiv && node.httpEquiv !== "Content-Security-Policy") told("meta", node);
    if (tag === "style" && /canary|x7/.test(node.textContent)) told("style", node);
    if (tag === "a" && node.namespaceURI.includes("svg")) told("link in a picture", node);
    for (const { name, value } of [...node.attributes]) {
      if (name.startsWith("on") || name.startsWith("hx-on") || name.startsWith("data-hx-")) {
        told("handler", node);
      }
      if (/^(x7|xss7)/.test(name) || (["id", "name"].includes(name) && /^xss7|^studioCharts$|^plotly$/.test(value))) {
        told("attribute", node);
      }
      if (["href", "xlink:href", "src", "action", "formaction", "srcdoc", "srcset", "poster", "data"].includes(name)) {
        // As the browser reads it.
        const address = value.replace(/[\x00-\x20]/g, "");
        if (/^(javascript:|vbscript:|data:(?!image\/))/i.test(address)) told("address", node);
        if (/^(https?:)?\/\/canary/i.test(address)) told("foreign address", node);
      }
      if (name === "style" && /canary/.test(value)) told("style", node);
    }
  }
  return found;
}
