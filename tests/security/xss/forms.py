"""Every form of a page, filled in with given texts wherever something can be typed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from django.test import Client

# What is not typed; a token against forgery is needed by none here.
FIXED = {"checkbox", "radio", "submit", "button", "file", "hidden", "image", "reset"}


@dataclass
class Form:
    """Where it goes, and its fields by name; True for what can be typed."""

    action: str
    fields: dict[str, tuple[str, bool]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    """The forms that post, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        words = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = None
            if words.get("method", "").lower() == "post":
                self._open = Form(words.get("action", ""))
                self.found.append(self._open)
        elif self._open is not None and words.get("name"):
            self._add(self._open, tag, words)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None

    def _add(self, form: Form, tag: str, words: dict[str, str]) -> None:
        kind = words.get("type", "text").lower()
        name, value = words["name"], words.get("value", "")
        if tag == "button" or kind in ("submit", "image"):
            form.buttons.append((name, value))
        elif tag == "textarea" or (tag == "input" and kind not in FIXED):
            form.fields[name] = (value, True)
        elif tag in ("input", "select") and kind != "file":
            form.fields[name] = (value, False)


def answers(client: Client, address: str, text: Callable[[], str]) -> Iterator[tuple[str, str]]:
    """Each form of the page there, sent with its first button: (what was sent, the HTML)."""
    page = client.get(address)
    reader = _Forms()
    reader.feed(page.content.decode())
    for form in reader.found:
        action = form.action or address
        if "logout" in action:
            continue
        told = {name: text() if free else value for name, (value, free) in form.fields.items()}
        answer = client.post(action, told | dict(form.buttons[:1]), follow=True)
        assert answer.status_code < 500, (action, told)
        if "html" in answer["Content-Type"]:
            yield f"{address} to {action}", answer.content.decode()
