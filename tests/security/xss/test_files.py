"""Files of trials and the report, opened in real Chromium: nothing of them runs in our place."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Error, Page

from studio.models import Compute, User
from sweeps.queries.places import artifacts_at
from tests.security.xss import stage
from tests.security.xss.payloads import PAYLOADS, POLYGLOT, RUN
from tests.security.xss.watch import Watch

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CROWD = f"/w/default/sweeps/{stage.CROWD}"
FILES = f"{CROWD}/trials/0/artifacts"
SAVED = ("page.html", "picture.svg", "table.csv", "data.json", "lines.txt", "fake.png")
# By their first bytes images, by the others something else.
TWO_THINGS = {
    "page.gif": f"GIF89a<html><script>{RUN}</script>",
    "script.gif": f"GIF89a=0;{RUN}",
    "page.png": f"\x89PNG\r\n\x1a\n<html><script>{RUN}</script>",
}


@pytest.fixture
def staged(alice: User, compute: Compute, now: Any) -> None:
    stage.set_up(alice, compute, now, POLYGLOT, PAYLOADS)
    root = artifacts_at("7", "crowd0")
    assert root is not None
    for name, text in TWO_THINGS.items():
        (root / name).write_text(text, encoding="latin-1")


def is_saved(page: Page, address: str) -> bool:
    """Whether going there saves a file and shows nothing."""
    try:
        page.goto(address)
    except Error as error:
        return "Download is starting" in str(error)
    return False


@pytest.mark.timeout(300)
def test_a_file_is_saved_and_never_a_page_of_ours(
    watch: Watch, client: Client, alice: User, staged: None, tmp_path: Path
) -> None:
    page, base = watch.page, watch.base
    shown = [
        f"{name}{words}"
        for name in (*SAVED, *TWO_THINGS)
        for words in ("", "?show=1")
        if not is_saved(page, f"{base}{FILES}/{name}{words}")
    ]
    assert shown == [f"{name}?show=1" for name in TWO_THINGS]
    for name in shown:
        page.goto(f"{base}{FILES}/{name}")
        assert page.evaluate("document.contentType").startswith("image/")
    # Nor are they scripts or styles of a page that asks for them as such.
    asks = "".join(
        f"<script src='{FILES}/{name}{words}'></script>"
        f"<link rel=stylesheet href='{FILES}/{name}{words}'>"
        for name in TWO_THINGS
        for words in ("", "?show=1")
    )
    for log in ("log/stdout", "download/stdout.log"):
        asks += f"<script src='{CROWD}/trials/0/{log}'></script>"
    page.goto(f"{base}{CROWD}/report.html")
    watch.show(f"<!doctype html><title>x</title>{asks}")
    assert watch.found == []

    client.force_login(alice)
    report = tmp_path / "report.html"
    report.write_bytes(client.get(f"{CROWD}/report.html?download=1").content)
    for address in (report.as_uri(), f"{base}{CROWD}/report.html"):
        watch.at = address
        page.goto(address)
        assert "xss7" in page.inner_text("body")
        watch.again()
    assert watch.found == []
