"""Finding Chromium for the browser tests: as found, else by Playwright, else by apt."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

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
    _try([sys.executable, "-m", "playwright", "install", "chromium"])
    if found := find_chromium():
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _try(["apt-get", "update", "-qq"])
        _try(["apt-get", "install", "-y", "-qq", "chromium"])
    return find_chromium()


def _try(command: list[str]) -> None:
    print("+", " ".join(command), flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, check=False, env=environment, capture_output=True, text=True, timeout=600
    )
    if done.returncode:
        print(f"did not work: {(done.stderr or done.stdout).strip()[-300:]}", flush=True)
