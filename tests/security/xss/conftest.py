"""A browser in which hostile texts would run."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser

from studio.models import User
from tests.security.xss.watch import Watch

# Charts are drawn when they are in view; this one has all in view.
TALL = {"width": 1440, "height": 6000}


@pytest.fixture
def watch(chromium: Browser, live_server: Any, alice: User) -> Iterator[Watch]:
    """Alice's page, with the content security policy out of force.

    The policy is the second line: with it no text would run anyhow, and a hole would not show.
    """
    client = Client()
    client.force_login(alice)
    name = settings.SESSION_COOKIE_NAME
    cookie = {"name": name, "value": client.cookies[name].value, "url": live_server.url}
    context = chromium.new_context(bypass_csp=True, reduced_motion="reduce", viewport=TALL)  # type: ignore[arg-type]
    context.add_cookies([cookie])  # type: ignore[list-item]
    yield Watch(context.new_page(), live_server.url)
    context.close()
