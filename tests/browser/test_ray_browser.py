"""A compute on a real Ray cluster: made, tested and seen in Chromium."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from huey.contrib.djhuey import HUEY
from playwright.sync_api import expect

from studio.models import Compute, User
from sweeps.engine import compute_test
from sweeps.engine.clusters import told_by
from sweeps.engine.places import place_of
from sweeps.runners.registry import get_runner
from sweeps.services.computes import record_cluster
from tests.browser.conftest import DESKTOP, PHONE, Visit
from tests.ray import Cluster

pytestmark = [
    pytest.mark.browser,
    pytest.mark.ray,
    pytest.mark.timeout(400),
    pytest.mark.django_db(transaction=True),
]
Open = Callable[..., Visit]


@pytest.mark.parametrize(("viewport", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_a_compute_on_a_ray_cluster_is_made_tested_and_seen(
    visit: Open, alice: User, compute: Compute, ray_cluster: Cluster, settings: Any,
    tmp_path: Path, viewport: Any, scheme: Any,
) -> None:  # fmt: skip
    seen = visit(alice, viewport)
    settings.STUDIO_URL, settings.STUDIO_HOME = seen.base, tmp_path
    HUEY.flush()
    page = seen.page
    page.emulate_media(color_scheme=scheme)
    seen.open("/w/default/computes/")
    page.get_by_role("link", name="Add compute").click()
    page.get_by_role("link", name="Ray").click()
    page.get_by_label("Name", exact=True).fill("cluster")
    page.get_by_label("Python interpreter").fill(sys.executable)
    assert not seen.scrolls_sideways()
    shoot(page, f"ray-form-{scheme}")
    page.get_by_label("Address").fill(ray_cluster.address)
    page.get_by_role("button", name="Add compute").click()
    expect(page.get_by_role("heading", name="cluster")).to_be_visible()

    seen.open("/w/default/computes/cluster/")
    card = page.locator("#compute-test")
    card.get_by_role("button", name="Test compute").click()
    expect(card).to_contain_text("Testing")
    made = Compute.objects.select_related("workspace").get(name="cluster")
    compute_test.test(made.pk)
    expect(card).to_contain_text("Works")
    for step in ("Ray", "Queue", "Interpreter", "MLflow", "Studio", "Command", "Log"):
        expect(card.get_by_text(step, exact=True)).to_be_visible()
    assert not seen.scrolls_sideways()
    shoot(page, f"ray-test-{scheme}")

    record_cluster(made, told_by(place_of(made)), timezone.now())
    get_runner(*place_of(made)).close()
    seen.open("/w/default/computes/")
    on_list = page.locator(f"#compute-{made.pk}")
    expect(on_list).to_contain_text("1 CPU")
    expect(on_list).to_contain_text("Tested")
    assert not seen.scrolls_sideways()
    shoot(page, f"ray-list-{scheme}")


def shoot(page: Any, name: str) -> None:
    """A picture, where somebody wants to look (SHOTS names a folder)."""
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
