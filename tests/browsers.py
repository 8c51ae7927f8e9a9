"""Finding Chromium for the browser tests: as found, else by Playwright, else by apt."""

import os
import shutil
import sys
from pathlib import Path

from tests.bringing import try_to

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str | None:
    """A Chromium on this machine: on the PATH, or the one that Playwright keeps."""
    given = os.environ.get("CHROMIUM")
    if given:
        return given
    for name in NAMES:
        if path := shutil.which(name):
            return path
    try:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            path = playwright.chromium.executable_path
    except Exception as error:
        print(f"Playwright does not start: {error}")
        return None
    return path if Path(path).exists() else None


def bring_chromium() -> str | None:
    """Chromium, installed if that can be done here; None where nothing works."""
    if found := find_chromium():
        return found
    try_to([sys.executable, "-m", "playwright", "install", "chromium"])
    if found := find_chromium():
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        try_to(["apt-get", "update", "-qq"])
        try_to(["apt-get", "install", "-y", "-qq", "chromium"])
    return find_chromium()
