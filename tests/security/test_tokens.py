"""Tokens: what the database holds of them, what they grant, and that they die at once (S10)."""

import time
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from huey.contrib.djhuey import HUEY

from studio import services, wrong_tokens
from studio.forms import TokenForm
from studio.models import ApiToken, AuditEntry, Compute, Membership, Role, User, Workspace
from studio.models.token import digest
from studio.rates import Buckets
from sweeps.gateway.identity import identify
from sweeps.gateway.refusals import Refusal
from sweeps.models import Attempt, EnvironmentBuild, Sweep, Trial
from sweeps.services import sweeps, trials
from sweeps.services.trials import TRIAL_TOKEN_PREFIX
from tests.api.conftest import Caller
from tests.pages import everywhere
from tests.security.audit_steps import PAGES
from tests.studio.test_accounts import address


@pytest.fixture
def made(workspace: Workspace, alice: User, bob: User) -> services.NewToken:
    return services.create_token(workspace, bob, role=Role.OWNER, name="t", now=timezone.now())


def answers(secret: str) -> tuple[int, int]:
    """Of REST and of the tracking gateway."""
    rest = Caller(secret).get("/workspaces/default").status_code
    try:
        identify(f"Bearer {secret}", "default", timezone.now())
    except Refusal as refusal:
        return rest, refusal.status
    return rest, 200


def _revoke(made: services.NewToken, bob: User) -> None:
    services.revoke_token(made.token, timezone.now())


def _expire(made: services.NewToken, bob: User) -> None:
    ApiToken.objects.update(expires_at=timezone.now())


def _deactivate(made: services.NewToken, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(is_active=False)


def _remove(made: services.NewToken, bob: User) -> None:
    services.remove_member(Membership.objects.get(user=bob))


@pytest.mark.parametrize("end", [_revoke, _expire, _deactivate, _remove])
def test_whatever_ends_a_token_ends_it_at_once(
    end: Callable[..., None], made: services.NewToken, bob: User
) -> None:
    for _ in range(3):  # whatever is kept of an identity is kept by now
        assert answers(made.secret) == (200, 200)
    began = time.monotonic()
    end(made, bob)
    assert answers(made.secret) == (401, 401)
    assert time.monotonic() - began < 1


def test_who_comes_back_finds_the_old_tokens_dead(
    made: services.NewToken, workspace: Workspace, bob: User
) -> None:
    services.remove_member(Membership.objects.get(user=bob))
    services.add_member(workspace, bob, Role.OWNER, timezone.now())
    assert answers(made.secret) == (401, 401)


def test_a_token_shrinks_with_its_person(made: services.NewToken, bob: User) -> None:
    def may_write() -> bool:
        return identify(f"Bearer {made.secret}", "default", timezone.now()).may_write

    assert may_write()
    Membership.objects.filter(user=bob).update(role=Role.READER)
    assert not may_write()
    assert Caller(made.secret).post("/workspaces/default/sweeps", {}).status_code == 404
    assert Caller(made.secret).get("/workspaces/default/sweeps").status_code == 200


def test_the_database_holds_digests_alone(made: services.NewToken) -> None:
    row = ApiToken.objects.get()
    assert made.secret.startswith("sst_")
    assert len(made.secret) >= 40
    assert row.digest == digest(made.secret)
    assert made.secret not in str(list(ApiToken.objects.values()))
    assert len(row.hint) == 8


def test_the_last_use_is_written_once_a_minute_by_either_way(
    made: services.NewToken, django_assert_num_queries: Any
) -> None:
    now = timezone.now()
    identify(f"Bearer {made.secret}", "default", now)
    assert ApiToken.objects.get().last_used_at == now
    for _ in range(3):
        identify(f"Bearer {made.secret}", "default", now + timedelta(seconds=59))
        Caller(made.secret).get("/workspaces")
    assert ApiToken.objects.get().last_used_at == now
    identify(f"Bearer {made.secret}", "default", now + timedelta(seconds=61))
    assert ApiToken.objects.get().last_used_at == now + timedelta(seconds=61)


def test_a_form_says_how_long_and_means_ninety_days() -> None:
    form = TokenForm({"name": "x", "role": "reader", "days": "90"})
    assert TokenForm().fields["days"].initial == "90"
    assert "never" in dict(form.fields["days"].choices)["never"]
    now = timezone.now()
    assert form.is_valid()
    assert form.expires_at(now) == now + timedelta(days=90)
    assert not TokenForm({"name": "x", "role": "reader"}).is_valid()
    forever = TokenForm({"name": "x", "role": "reader", "days": "never"})
    assert forever.is_valid()
    assert forever.expires_at(now) is None


def test_a_trial_s_token_is_none_of_the_rest_api(sweep: Sweep, now: Any) -> None:
    [pk, *_] = sweeps.advance(sweep.pk, now).trials
    claim = trials.claim(pk, owner="test", spool_root=Path("/spool"), now=now)
    assert claim is not None
    assert claim.token.startswith(TRIAL_TOKEN_PREFIX)
    assert claim.token not in str(list(Attempt.objects.values()))
    for path in ("/workspaces", "/workspaces/default", "/workspaces/default/sweeps"):
        assert Caller(claim.token).get(path).status_code == 401
        assert Caller(claim.token).post(path, {}).status_code in (401, 405)


def test_a_command_makes_a_token_that_ends_and_none_for_a_stranger(
    workspace: Workspace, alice: User, charlie: User
) -> None:
    out = StringIO()
    call_command("token", user="alice", days=7, stdout=out)
    assert answers(out.getvalue().strip()) == (200, 200)
    left = ApiToken.objects.get().expires_at - timezone.now()
    assert timedelta(days=6) < left <= timedelta(days=7)
    with pytest.raises(CommandError, match="charlie is no member"):
        call_command("token", user="charlie")
    with pytest.raises(CommandError, match="--days"):
        call_command("token", user="alice", days=0)


# --- N1: no code runs for anybody below contributor ---------------------------------------------

SPAWNING = ("sweep", "trial", "compute", "environment", "model", "code", "data")


def test_an_address_that_guesses_is_told_to_wait_and_good_tokens_go_on(
    workspace: Workspace, alice: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STUDIO_WRONG_TOKEN_RATE = 5
    monkeypatch.setattr(wrong_tokens, "buckets", Buckets())
    good = services.create_token(
        workspace, alice, role=Role.OWNER, name="t", now=timezone.now()
    ).secret
    client = Client()

    def ask(path: str, token: str, address: str = "192.0.2.1") -> Any:
        return client.get(path, headers={"Authorization": f"Bearer {token}"}, REMOTE_ADDR=address)

    rest, mlflow = "/api/v1/workspaces", "/tracking/default/no/such/route"
    known = {ask(path, good).status_code for path in (rest, mlflow)}
    assert known == {200, 404}
    statuses = [ask(path, "sst_guess").status_code for path in (rest, mlflow) * 2]
    assert statuses == [401] * 4
    assert ask(rest, "stt_guess").status_code == 401
    refused = [ask(path, token) for path in (rest, mlflow) for token in ("sst_x", "stt_x", "x")]
    assert [answer.status_code for answer in refused] == [429] * 6
    assert all(1 <= int(answer["Retry-After"]) <= 12 for answer in refused)
    assert refused[0].json()["error"]["code"] == "rate_limited"
    assert refused[-1].json()["error_code"] == "REQUEST_LIMIT_EXCEEDED"
    assert {ask(path, good).status_code for path in (rest, mlflow)} == known
    assert ask(rest, "sst_guess", "192.0.2.2").status_code == 401


def test_nothing_that_a_reader_sends_starts_anything(
    alice: User, rita: User, compute: Compute, now: Any
) -> None:
    everywhere.set_up(alice, compute, now)
    browser = Client()
    browser.force_login(rita)
    HUEY.flush()
    tables = (Sweep, Trial, Attempt, EnvironmentBuild, Compute)
    before = [list(table.objects.order_by("pk").values()) for table in tables]
    entries = AuditEntry.objects.count()
    for step in PAGES:
        if step.noun in SPAWNING and step.route.startswith("w/"):
            for path in {address(step.route), step.path} - {""}:
                if isinstance(path, str):
                    data = {} if callable(step.data) else step.data
                    assert browser.post(path, data).status_code in (404, 302), path
    # Looking for sweeps to compare is no change.
    assert AuditEntry.objects.count() == entries
    assert HUEY.pending() == []
    assert [list(table.objects.order_by("pk").values()) for table in tables] == before
