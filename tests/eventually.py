"""Waiting for what a page will come to.

Playwright's own `wait_for_function` evaluates its words in the page anew each time it looks. The
studio's content security policy forbids that, so it only works if it need not look twice; a test
in test_architecture.py keeps it out. `page.evaluate` comes from outside, like a debugger, and may.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from playwright.sync_api import Page

T = TypeVar("T")


def eventually(
    page: Page, look: Callable[[], T], holds: Callable[[T], object] = bool, seconds: float = 20
) -> T:
    """What `look` first gives that `holds`. AssertionError with what it gave last if none came
    in time."""
    deadline = time.monotonic() + seconds
    while not holds(seen := look()):
        assert time.monotonic() < deadline, f"After {seconds:g} s still {seen!r}."
        page.wait_for_timeout(50)
    return seen
