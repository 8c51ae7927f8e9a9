"""A compute on a real Slurm: made, tested and seen in Chromium."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from huey.contrib.djhuey import HUEY
from playwright.sync_api import expect

from studio.models import Compute, User
from sweeps.engine import compute_test
from sweeps.engine.clusters import told_by
from sweeps.engine.places import place_of
from sweeps.services.computes import record_cluster
from tests.browser.conftest import DESKTOP, PHONE, Visit
from tests.slurm import Cluster

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slurm,
    pytest.mark.django_db(transaction=True),
]
Open = Callable[..., Visit]


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
def test_a_compute_on_a_cluster_is_made_tested_and_seen(
    visit: Open, alice: User, compute: Compute, cluster: Cluster, settings: Any, viewport: Any
) -> None:
    seen = visit(alice, viewport)
    settings.STUDIO_URL = seen.base
    HUEY.flush()
    page = seen.page
    seen.open("/w/default/computes/")
    page.get_by_role("link", name="Add compute").click()
    page.get_by_role("link", name="Slurm").click()
    page.get_by_label("Name", exact=True).fill("cluster")
    page.get_by_label("Partition").fill("main")
    page.get_by_role("button", name="Add compute").click()
    expect(page.get_by_role("heading", name="cluster")).to_be_visible()

    seen.open("/w/default/computes/cluster/")
    card = page.locator("#compute-test")
    card.get_by_role("button", name="Test compute").click()
    expect(card).to_contain_text("Testing")
    [task] = HUEY.pending()
    made = Compute.objects.select_related("workspace").get(name="cluster")
    assert (task.name, task.args) == ("test_compute", (made.pk,))
    compute_test.test(made.pk)
    expect(card).to_contain_text("Works")
    for step in ("Slurm", "Queue", "Interpreter", "MLflow", "Studio", "Command", "Log"):
        expect(card.get_by_text(step, exact=True)).to_be_visible()
    assert not seen.scrolls_sideways()

    record_cluster(made, told_by(place_of(made)), timezone.now())
    seen.open("/w/default/computes/")
    on_list = page.locator(f"#compute-{made.pk}")
    expect(on_list).to_contain_text("1 idle")
    expect(on_list).to_contain_text("Tested")
    assert not seen.scrolls_sideways()
