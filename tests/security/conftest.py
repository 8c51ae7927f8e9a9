"""Real Chromium, for those who want it."""

from tests.browser import conftest as in_browser

chromium = in_browser.chromium
visit = in_browser.visit
