"""A page that is watched for what hostile texts get it to do."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Error, Page, expect

LOOKS, OPENS = (
    Path(__file__).with_name(f"{name}.js").read_text() for name in ("looks", "opens")
)  # fmt: skip
UNDRAWN = (
    "[aria-busy=true], [data-chart]:not(:has(.main-svg)):not(:has(.chart-empty:not(.no-js-only)))"
)
OURS = ("data:image/", "blob:", "about:", "file:")


class Watch:
    """What was `found` so far, each with the address `at` which it was."""

    def __init__(self, page: Page, base: str) -> None:
        self.page, self.base = page, base
        self.found: list[str] = []
        self.at = self._own = ""
        page.on("dialog", self._dialog)
        page.on("request", self._request)
        page.route("**/*", self._answer)

    def look(self, address: str) -> None:
        """Open the page there and what it keeps folded, wait for its charts, and look."""
        self.at = address
        self.page.goto(f"{self.base}{address}", wait_until="load")
        # Ten at once, one of them in space, on a machine that may have no graphics card.
        expect(self.page.locator(UNDRAWN)).to_have_count(0, timeout=120_000)
        self.page.evaluate(OPENS)
        self.again()

    def show(self, html: str) -> None:
        """The same for a page that no server has: none of its scripts is kept from running."""
        self._own, self.at = html, "own"
        self.page.goto(f"{self.base}/own", wait_until="load")
        self.again()

    def read(self, html: str, at: str) -> None:
        """Look at a page without showing it: what there is but not what it does. Quick."""
        self.at = at
        self.again(html)

    def again(self, html: str | None = None) -> None:
        """Look at the page as it is now."""
        try:
            self.found += [f"{self.at}: {one}" for one in self.page.evaluate(LOOKS, html)]
        except Error as error:
            self.found.append(f"{self.at}: the page went elsewhere, {error}")

    def _dialog(self, dialog: Any) -> None:
        self.found.append(f"{self.at}: dialog {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.base, *OURS)):
            self.found.append(f"{self.at}: request to {request.url}")

    def _answer(self, route: Any) -> None:
        """Nobody else is really asked."""
        if route.request.url == f"{self.base}/own":
            route.fulfill(body=self._own, content_type="text/html")
        elif route.request.url.startswith((self.base, *OURS)):
            route.continue_()
        else:
            route.fulfill(status=204)
