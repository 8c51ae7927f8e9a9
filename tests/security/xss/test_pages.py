"""No text of anybody becomes a part of a page, in real Chromium without the policy."""

from collections.abc import Iterable
from itertools import cycle
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.test import Client

from studio.models import Compute, User
from tests.pages import everywhere
from tests.security.xss import stage
from tests.security.xss.forms import answers
from tests.security.xss.payloads import PAYLOADS, POLYGLOT
from tests.security.xss.watch import Watch

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CROWD = f"/w/default/sweeps/{stage.CROWD}"
FILES = f"{CROWD}/trials/0/artifacts/"
# The pages with the most of what others wrote; all of them take some minutes.
FULLEST = (
    "/", "/w/", "/w/default/", "/w/default/sweeps/", "/w/default/models/",
    "/w/default/settings/", "/w/default/settings/notifications/1/", "/w/default/computes/local/",
    "/w/default/environments/trees/", "/w/default/sweeps/going/trials/0/",
    f"/w/default/compare/?s=going&s={stage.CROWD}", f"/w/default/sweeps/new?from={stage.CROWD}",
    f"{CROWD}/", f"{CROWD}/trials/", f"{CROWD}/charts/", f"{CROWD}/charts/parallel/",
    f"{CROWD}/config/", f"{CROWD}/logs/", f"{CROWD}/edit", f"{CROWD}/trials/2/",
    f"{CROWD}/trials/0/", f"{CROWD}/compare/?t=0,1,2,3,4,5,6,7", f"{CROWD}/report.html",
    f"{FILES}?path=names", f"{FILES}?path=model",
)  # fmt: skip
# Of the others, those that scripts make.
DRAWN = (
    "/w/default/sweeps/going/", "/w/default/sweeps/going/charts/",
    "/w/default/sweeps/going/trials/0/", "/w/default/sweeps/new?from=going",
)  # fmt: skip
SHOWN = ("page.html", "picture.svg", "table.csv", "table.tsv", "lines.txt", "data.json", "fake.png")
WORDS = (
    "q", "status", "sort", "cols", "is", "in", "no", "t", "color", "axes", "metric", "x", "curves",
    "smooth", "path", "s", "from", "as", "tab", "next", "page", "size", "owner", "tag",
)  # fmt: skip
ASKED = (
    "/w/default/sweeps/", f"{CROWD}/trials/", f"{CROWD}/charts/", f"{CROWD}/compare/", FILES,
    "/w/default/sweeps/new", "/w/default/compare/", f"{CROWD}/logs/", "/accounts/login/",
)  # fmt: skip
FORMS = (
    "/w/default/sweeps/new", "/w/default/sweeps/new?from=done", "/w/default/sweeps/new?as=file",
    "/w/default/sweeps/import", "/w/default/computes/new", "/w/default/computes/local/",
    "/w/default/environments/new", "/w/default/environments/trees/", "/w/default/settings/",
    "/w/default/settings/notifications/new", "/w/default/settings/notifications/1/",
    "/w/default/sweeps/going/", "/w/default/sweeps/going/edit", "/w/default/sweeps/going/trials/0/",
    "/w/default/sweeps/going/trials/new", "/w/default/sweeps/going/trials/1/register",
    "/w/default/sweeps/going/trials/", "/workspaces/new", "/accounts/password/", "/w/default/",
    "/accounts/login/",
)  # fmt: skip


@pytest.fixture
def alices(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def queries(texts: Iterable[str], turn: int = 0) -> list[str]:
    """Addresses' queries in which each text is the value of one word, whose turn it is."""
    texts = list(texts)
    texts = texts[turn:] + texts[:turn]
    parts = [texts[at : at + len(WORDS)] for at in range(0, len(texts), len(WORDS))]
    return [urlencode(dict(zip(WORDS, part, strict=False)), errors="replace") for part in parts]


def read_all(watch: Watch, client: Client, addresses: Iterable[str]) -> None:
    """Look at the pages there without opening them; a problem in the address is answered, too."""
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code < 500, address
        if "html" in answer["Content-Type"]:
            watch.read(answer.content.decode(), address)


@pytest.mark.timeout(400)
def test_texts_of_others_are_texts(
    watch: Watch, alices: Client, alice: User, compute: Compute, now: Any
) -> None:
    filled = stage.set_up(alice, compute, now, POLYGLOT, PAYLOADS)
    assert len(filled) >= 60
    for address in FULLEST:
        watch.look(address)
    read_all(watch, alices, [f"{FILES}?path={name}" for name in SHOWN])
    asked = [f"{path}?{query}" for path in ASKED for query in queries(PAYLOADS)]
    lost = [f"/w/default/{quote(text, errors='replace')}/" for text in PAYLOADS if "\0" not in text]
    watch.show("<!doctype html><title>x</title>")
    read_all(watch, alices, [*everywhere.pages(alices)[1:], *asked, *lost])
    assert watch.found == []


@pytest.mark.timeout(400)
def test_what_was_typed_is_a_text_where_it_is_shown_again(
    watch: Watch, alices: Client, alice: User, compute: Compute, now: Any
) -> None:
    everywhere.set_up(alice, compute, now)
    watch.show("<!doctype html><title>x</title>")
    texts = cycle(PAYLOADS)
    sent = 0
    for address in FORMS:
        for told, html in answers(alices, address, lambda: next(texts)):
            watch.read(html, told)
            sent += 1
    assert sent > 30
    assert watch.found == []


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_each_text_in_each_place(
    watch: Watch, alices: Client, alice: User, compute: Compute, now: Any
) -> None:
    """All pages with all texts once; then each text in each column by turns, where pages are made
    by scripts looked at, else read."""
    stage.set_up(alice, compute, now, POLYGLOT, PAYLOADS)
    pages = [*dict.fromkeys((*everywhere.pages(alices)[1:], *FULLEST))]
    for address in pages:
        watch.look(address)
    assert watch.found == []
    rest = [page for page in pages if f"/{stage.CROWD}/" not in page and page not in DRAWN]
    for number, text in enumerate(PAYLOADS):
        stage.refill(text)
        for address in DRAWN:
            watch.look(address)
        watch.show("<!doctype html><title>x</title>")
        read_all(watch, alices, rest)
        read_all(watch, alices, (f"{p}?{q}" for p in ASKED for q in queries(PAYLOADS, number)))
        assert watch.found == [], text
