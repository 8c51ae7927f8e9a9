"""A fault in one chart is that chart's alone."""

from typing import Any

import pytest
from django.test import Client

from studio.models import User
from sweeps.models import Sweep
from sweeps.views import charts, job_live
from tests.api.acts import play


def test_a_chart_that_cannot_be_drawn_keeps_no_other_news_back(
    client: Client, rita: User, sweep: Sweep, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(sweep, now, [0.3, 0.1])
    draw = charts.drawn

    def faulty(kind: str, asked: Any) -> Any:
        return draw(kind, asked) if kind != "objective" else {"info": float("inf")}

    monkeypatch.setattr(charts, "drawn", faulty)
    charts._payloads.forget()
    job_live._answers.forget()
    client.force_login(rita)
    news = client.get(f"/w/default/sweeps/{sweep.name}/live?charts=objective,parallel").json()
    assert list(news["figures"]) == ["chart-parallel"]
    assert news["fragments"]["job-progress"]
    gone = client.get(f"/w/default/sweeps/{sweep.name}/live?charts=objective&in=nonsense")
    assert gone.status_code == 404
