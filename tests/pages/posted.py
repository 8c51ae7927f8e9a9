"""A page's form as a browser without JavaScript sends it: what its fields hold, and one button."""

from html.parser import HTMLParser
from typing import Any

Fields = dict[str, list[str]]


class PostedForm(HTMLParser):
    """The fields of the form with an id, and the texts of elements that describe errors."""

    def __init__(self, html: str, form_id: str) -> None:
        super().__init__()
        self.fields: Fields = {}
        self.buttons: list[tuple[str, str]] = []
        self.invalid: list[str] = []
        self.ids: set[str] = set()
        self.links: list[str] = []
        self._form_id, self._inside = form_id, False
        self._select: str | None = None
        self._options: list[tuple[str | None, str, bool]] = []
        self._text: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if "id" in found:
            self.ids.add(found["id"])
        if tag == "form":
            self._inside = found.get("id") == self._form_id
        if not self._inside:
            return
        if "aria-invalid" in found:
            self.invalid.append(found.get("id", ""))
        match tag:
            case "a":
                self.links.append(found.get("href", ""))
            case "button":
                self.buttons.append((found.get("name", ""), found.get("value", "")))
            case "input":
                self._input(found)
            case "select":
                self._select, self._options = found.get("name", ""), []
            case "option":
                self._options.append((found.get("value"), "", "selected" in found))
            case "textarea":
                self._text = found.get("name", "")
                self.fields.setdefault(self._text, []).append("")

    def _input(self, found: dict[str, str]) -> None:
        kind, name = found.get("type", "text"), found.get("name", "")
        if not name or kind == "file" or (kind in ("radio", "checkbox") and "checked" not in found):
            return
        self.fields.setdefault(name, []).append(found.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select" and self._select is not None:
            self._close_select(self._select)
            self._select = None
        elif tag == "textarea":
            self._text = None

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            # HTML drops one newline right after <textarea>.
            data = data.removeprefix("\n") if not self.fields[self._text][-1] else data
            self.fields[self._text][-1] += data
        elif self._select is not None and self._options:
            value, text, chosen = self._options[-1]
            self._options[-1] = (value, text + data, chosen)

    def _close_select(self, name: str) -> None:
        options = self._options
        chosen = [option for option in options if option[2]] or options[:1]
        for value, text, _ in chosen:
            if name:
                self.fields.setdefault(name, []).append(text.strip() if value is None else value)

    def with_(self, **changes: Any) -> Fields:
        """The fields with others in place; a list replaces a repeated field whole."""
        changed = dict(self.fields)
        for name, value in changes.items():
            changed[name] = value if isinstance(value, list) else [value]
        return changed
