"""Nothing jumps while a sweep is watched: what Chromium itself counts as layout shift."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from studio.models import User
from sweeps.domain.limits import Limits
from sweeps.models import EngineLease, Sweep
from sweeps.services import sweeps
from tests.api.acts import CRASH, DONE, end, log, start
from tests.browser.conftest import DESKTOP, PHONE, Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WATCH = """() => {
  window.shifts = [];
  const name = (node) => node?.id || node?.className || node?.parentElement?.className || "?";
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => window.shifts.push([
    entry.value, entry.sources.map(({ node }) => String(name(node))).join(", "),
  ]))).observe({ type: "layout-shift", buffered: true });
}"""


@pytest.fixture(autouse=True)
def parts_are_up(now: Any) -> None:
    """No word of a part that is down comes and goes."""
    for name in ("engine", "queue"):
        lease = {"owner": "a test", "expires_at": datetime(9999, 1, 1, tzinfo=UTC), "beat_at": now}
        EngineLease.objects.create(name=name, **lease)


# That the table grows moves what is below it.
@pytest.mark.parametrize(("tab", "most"), [("", 0.02), ("trials/", 0.04)])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_watched_sweep_does_not_jump(
    visit: Callable[..., Visit], bob: User, make_sweep: Any, now: Any, viewport: Any,
    tab: str, most: float,
) -> None:  # fmt: skip
    """From its first trial on: it runs, logs, is the best, the next crashes, and so on."""
    sweep: Sweep = make_sweep(name="churn", limits=Limits(8, 1, 3600))
    seen = visit(bob, viewport)
    page = seen.page
    page.add_init_script(f"({WATCH})()")
    seen.open(f"/w/default/sweeps/churn/{tab}")
    page.wait_for_timeout(300)
    for turn, (values, ending) in enumerate(
        [([0.5, 0.4], DONE), ([0.6], CRASH), ([0.3, 0.2], DONE), ([0.9, 0.8], DONE)]
    ):
        at = now + timedelta(seconds=20 * turn)
        attempt = start(sweeps.advance(sweep.pk, at).trials[0], at)
        log(attempt, values[:1])
        expect(page.locator(f"#trial-row-{turn} .status")).to_have_text("Running")
        log(attempt, values)
        end(attempt, at + timedelta(seconds=9), ending)
        expect(page.locator("#job-progress h2")).to_have_text(f"{turn + 1} of 8 trials done")
    page.wait_for_timeout(300)
    shifts = page.evaluate("window.shifts")
    assert sum(value for value, _ in shifts) < most, shifts
