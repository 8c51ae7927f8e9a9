"""No page asks anybody but the studio: with the network off, a crawl through all of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from studio.models import Compute, User
from tests.browsers import find_chromium
from tests.pages import everywhere
from tests.security.xss.watch import UNDRAWN

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# No name is found but that of the server under test.
NETWORK_OFF = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
WITHOUT_REQUEST = ("data:", "blob:", "about:", "file:")
# What a page may say to have others asked later: links that load, and where reports would go.
ASKS_LATER = """() => [...document.querySelectorAll(
  "link[rel~=prefetch],link[rel~=preconnect],link[rel~=dns-prefetch],link[rel~=prerender],a[ping]"
)].map((node) => node.outerHTML)"""
REFUSED = """() => {
  window.refused = [];
  document.addEventListener("securitypolicyviolation", (event) => {
    window.refused.push(`${event.violatedDirective}: ${event.blockedURI}`);
  });
}"""
ASKING = """<!doctype html><title>x</title>
<link rel=preconnect href=//a.invalid><link rel=stylesheet href="//style.invalid/">
<img src="//image.invalid/">
<script>
navigator.sendBeacon("//beacon.invalid/");
fetch("//fetch.invalid/").catch(() => 0);
</script>"""


@pytest.fixture
def offline(chromium: Browser) -> Iterator[Browser]:
    """A browser that reaches this machine alone."""
    browser = chromium.browser_type.launch(
        executable_path=find_chromium(), args=["--no-sandbox", NETWORK_OFF]
    )
    yield browser
    browser.close()


def watched(browser: Browser, base: str, user: User, **looks: Any) -> tuple[Page, list[str]]:
    """A page of that person's, and what it asked of others or was refused by the policy."""
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    context = browser.new_context(**looks)
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": base}])
    context.add_init_script(f"({REFUSED})()")
    page, found = context.new_page(), list[str]()

    def request(seen: Any) -> None:
        foreign = urlsplit(seen.url).netloc != urlsplit(base).netloc
        if foreign and not seen.url.startswith(WITHOUT_REQUEST):
            found.append(f"{page.url}: request to {seen.url}")

    # Of the whole context: beacons and workers have no page.
    context.on("request", request)
    page.on("websocket", lambda socket: found.append(f"{page.url}: socket to {socket.url}"))
    return page, found


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_a_crawl_through_all_pages_asks_nobody_else(
    offline: Browser, live_server: Any, client: Client, alice: User, compute: Compute, now: Any,
    theme: str, width: int, tmp_path: Path,
) -> None:  # fmt: skip
    everywhere.set_up(alice, compute, now)
    client.force_login(alice)
    size = {"width": width, "height": 5000}
    page, found = watched(
        offline, live_server.url, alice, viewport=size, color_scheme=theme, reduced_motion="reduce"
    )
    for address in (*everywhere.pages(client)[1:], "/api/v1/docs"):
        page.goto(f"{live_server.url}{address}", wait_until="load")
        expect(page.locator(UNDRAWN)).to_have_count(0, timeout=120_000)
        found += [f"{address}: {one}" for one in page.evaluate(ASKS_LATER)]
        found += [f"{address}: refused {one}" for one in page.evaluate("window.refused")]
    report = tmp_path / "report.html"
    report.write_bytes(client.get("/w/default/sweeps/done/report.html").content)
    page.goto(report.as_uri(), wait_until="load")
    found += [f"report: refused {one}" for one in page.evaluate("window.refused ?? []")]
    assert found == []


def test_the_crawl_would_notice(
    offline: Browser, live_server: Any, alice: User, sweep: Any
) -> None:
    """Each way to ask somebody else is found on a page that goes it; a beacon, too."""
    page, found = watched(offline, live_server.url, alice, bypass_csp=True)
    page.route("**/own", lambda route: route.fulfill(content_type="text/html", body=ASKING))
    # A beacon may leave after the page is there.
    with page.context.expect_event("request", lambda seen: "beacon" in seen.url):
        page.goto(f"{live_server.url}/own", wait_until="load")
    asked = {urlsplit(one.split("request to ")[1]).netloc for one in found}
    assert asked == {f"{name}.invalid" for name in ("image", "style", "beacon", "fetch")}
    assert len(page.evaluate(ASKS_LATER)) == 1


def test_what_the_policy_refuses_is_noticed(
    offline: Browser, live_server: Any, alice: User, sweep: Any
) -> None:
    page, _ = watched(offline, live_server.url, alice)
    page.goto(f"{live_server.url}/help/")
    assert page.evaluate("window.refused") == []
    page.evaluate(
        "() => { document.body.insertAdjacentHTML('beforeend', '<img src=//a.invalid>'); }"
    )
    page.evaluate("() => new Promise((done) => setTimeout(done, 0))")
    assert page.evaluate("window.refused") == ["img-src: http://a.invalid/"]
