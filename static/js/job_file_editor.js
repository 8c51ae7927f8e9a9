/* The job file in an editor: colours, line numbers, problems at their lines.

   The plain text field stays the truth for the form: the editor writes into it, and is loaded only
   while a job file is shown. Where this module cannot be loaded, the field is what one types in. */
const tag = () => document.querySelector("script[data-library]");
const library = () => import(tag().dataset.library);

let made; // {field, view}
let loading = false;

function look({ EditorView, HighlightStyle, syntaxHighlighting, tags }) {
  const colour = (name) => `var(--${name})`;
  const theme = EditorView.theme({
    "&": { color: colour("text"), backgroundColor: colour("raised"), fontSize: "13px" },
    "&.cm-focused": { outline: "none" },
    ".cm-content": { caretColor: colour("text"), padding: "8px 0" },
    ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "20px", minHeight: "420px" },
    ".cm-gutters": {
      backgroundColor: colour("sunken"),
      color: colour("faint"),
      borderRight: `1px solid ${colour("border")}`,
    },
    ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--primary) 6%, transparent)" },
    ".cm-activeLineGutter": { backgroundColor: colour("border"), color: colour("text") },
    ".cm-cursor": { borderLeftColor: colour("text") },
    "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground":
      { backgroundColor: "color-mix(in srgb, var(--primary) 24%, transparent)" },
    ".cm-tooltip": {
      backgroundColor: colour("surface"),
      color: colour("text"),
      border: `1px solid ${colour("border")}`,
      boxShadow: "var(--shadow-float)",
    },
    ".cm-diagnostic-error": { borderLeftColor: colour("red-mark") },
  });
  const style = HighlightStyle.define([
    { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: colour("violet") },
    { tag: [tags.string, tags.special(tags.string)], color: colour("green") },
    { tag: tags.lineComment, color: colour("faint") },
    { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: colour("blue") },
    { tag: [tags.meta, tags.punctuation, tags.separator], color: colour("muted") },
  ]);
  return [theme, syntaxHighlighting(style)];
}

function extensions(codemirror, field) {
  const { EditorView, keymap, indentUnit } = codemirror;
  const written = EditorView.updateListener.of((update) => {
    if (!update.docChanged) return;
    field.value = update.state.doc.toString();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  return [
    codemirror.lineNumbers(),
    codemirror.lintGutter(),
    codemirror.history(),
    codemirror.drawSelection(),
    codemirror.highlightActiveLine(),
    codemirror.highlightActiveLineGutter(),
    codemirror.bracketMatching(),
    codemirror.yaml(),
    indentUnit.of("  "),
    // Tab indents; Esc, then Tab leaves: CodeMirror lets the browser have the next Tab.
    keymap.of([
      ...codemirror.defaultKeymap,
      ...codemirror.historyKeymap,
      codemirror.indentWithTab,
    ]),
    EditorView.contentAttributes.of({
      "aria-label": "Job file (YAML). Tab indents; Escape, then Tab leaves the editor.",
      spellcheck: "false",
      autocapitalize: "off",
    }),
    EditorView.cspNonce.of(tag().dataset.nonce),
    look(codemirror),
    written,
  ];
}

// The studio's problems, as the page lists them above the editor.
function diagnostics(doc) {
  return [...document.querySelectorAll("#file-problems [data-line]")].map((item) => {
    const line = doc.line(Math.min(Math.max(Number(item.dataset.line), 1), doc.lines));
    const from = Math.min(line.from + Number(item.dataset.column) - 1, line.to);
    return { from, to: line.to, severity: "error", message: item.dataset.message };
  });
}

function refresh() {
  if (!made) return;
  const { codemirror, field, view } = made;
  const text = view.state.doc.toString();
  if (field.value !== text) field.value = text;
  view.dispatch(codemirror.setDiagnostics(view.state, diagnostics(view.state.doc)));
  const isWrong = field.getAttribute("aria-invalid") === "true";
  view.dom.parentElement.classList.toggle("is-wrong", isWrong);
}

function goTo(event) {
  const { codemirror, view } = made;
  const line = view.state.doc.line(Math.min(event.detail, view.state.doc.lines));
  event.preventDefault();
  view.dispatch({
    selection: { anchor: line.from, head: line.to },
    effects: codemirror.EditorView.scrollIntoView(line.from, { y: "center" }),
  });
  view.focus();
}

async function start() {
  const field = document.getElementById("f-file");
  if (made && (!field || made.field !== field)) {
    made.view.destroy();
    made.view.dom.parentElement?.remove();
    made = undefined;
  }
  if (!field || loading) return;
  if (made) return refresh();
  loading = true;
  try {
    const codemirror = await library();
    if (!field.isConnected) return;
    const host = document.createElement("div");
    host.className = "file-editor";
    host.id = "file-editor";
    field.after(host);
    const had = document.activeElement === field;
    const state = codemirror.EditorState.create({
      doc: field.value,
      selection: { anchor: had ? field.selectionStart : 0 },
      extensions: extensions(codemirror, field),
    });
    made = { codemirror, field, view: new codemirror.EditorView({ state, parent: host }) };
    field.addEventListener("studio:line", goTo);
    refresh();
    if (had) made.view.focus();
  } finally {
    loading = false;
  }
}

// An answer of the studio replaces what is around the editor, never the editor.
const { callbacks } = Idiomorph.defaults;
const before = callbacks.beforeNodeRemoved;
callbacks.beforeNodeRemoved = (node) => (node.id === "file-editor" ? false : before?.(node));

document.addEventListener("htmx:afterSettle", start);
start();
