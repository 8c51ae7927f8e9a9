"""The page of channels and deliveries: who may, what is shown, what is never shown again."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from sweeps.domain.states import SweepStatus
from sweeps.models import Channel, Delivery
from sweeps.services import notices
from sweeps.services.state import move_sweep

URL = "/w/default/settings/notifications/"
HOOK = "https://hooks.example.org/services/T0/B0/s3cret?token=abc"
EVIL = '<img src=x onerror="alert(1)">'


@pytest.fixture
def owner(client, alice):
    client.force_login(alice)
    return client


def add(workspace, **changes):
    row = {"name": "room", "kind": "slack", "address": HOOK, "workspace": workspace}
    return Channel.objects.create(**(row | changes))


def posted(**changes):
    return {"name": "room", "kind": "webhook", "address": HOOK, "on_ended": "on"} | changes


# --- Adding and changing ------------------------------------------------------------------------
def test_a_webhook_is_added_and_its_secret_is_shown_once(owner, workspace):
    answer = owner.post(f"{URL}new", posted(on_best="on"))
    page = answer.content.decode()
    channel = Channel.objects.get()
    [shown] = re.findall(r'id="channel-secret">([^<]+)<', page)
    assert shown == channel.secret
    assert "no-store" in answer["Cache-Control"]
    wants = (channel.on_ended, channel.on_broken, channel.on_best, channel.is_on)
    assert wants == (True, False, True, True)
    for path in ("", f"{channel.pk}/"):
        page = owner.get(URL + path).content.decode()
        assert "https://hooks.example.org/…" in page
        for secret in (channel.secret, "s3cret", "token=abc"):
            assert secret not in page


def test_other_kinds_need_no_secret_and_lead_back(owner, settings):
    settings.STUDIO_SMTP_URL = "smtp://mail"
    mail = posted(kind="email", address=" ann@example.org ", name="ann")
    for data in (posted(kind="slack"), mail):
        assert owner.post(f"{URL}new", data)["Location"] == URL
    assert set(Channel.objects.values_list("secret", flat=True)) == {""}
    assert "ann@example.org" in owner.get(URL).content.decode()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"address": "http://169.254.169.254/"}, "studio&#x27;s own network"),
        ({"address": "hooks.example.org"}, "Write a web address"),
        ({"address": ""}, "This field is required."),
        ({"name": "", "address": HOOK}, "This field is required."),
        ({"kind": ""}, "Choose how it is reached."),
        ({"kind": "pigeon"}, "Select a valid choice"),
        ({"kind": "email", "address": "ann"}, "sends no mail"),
        ({"on_ended": ""}, "Choose at least one thing to tell."),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(owner, changes, message):
    answer = owner.post(f"{URL}new", posted(**changes))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert message in page
    assert not Channel.objects.exists()
    for value in (posted(**changes)["name"], posted(**changes)["address"].split("?")[0]):
        assert value in page


def test_a_mail_address_is_one_address(owner, settings):
    settings.STUDIO_SMTP_URL = "smtp://mail"
    for address in ("ann", "ann@x.org, ben@x.org", "ann@x.org\nBcc: eve@x.org"):
        answer = owner.post(f"{URL}new", posted(kind="email", address=address))
        assert "Write one e-mail address" in answer.content.decode()


def test_a_change_keeps_an_address_that_is_not_typed_anew(owner, workspace):
    channel = add(workspace)
    data = {"name": "hall", "address": "", "on_broken": "on", "is_on": "on"}
    assert owner.post(f"{URL}{channel.pk}/", data)["Location"] == URL
    channel.refresh_from_db()
    assert (channel.name, channel.address, channel.kind) == ("hall", HOOK, "slack")
    assert (channel.on_ended, channel.on_broken) == (False, True)
    owner.post(f"{URL}{channel.pk}/", data | {"address": "https://other.example.org/"})
    channel.refresh_from_db()
    assert channel.address == "https://other.example.org/"


def test_a_channel_that_is_turned_off_gives_up_what_waits(owner, workspace, sweep, now):
    channel = add(workspace)
    move_sweep(sweep, SweepStatus.FAILED, now)
    owner.post(f"{URL}{channel.pk}/", {"name": "room", "address": "", "on_ended": "on"})
    row = Delivery.objects.get()
    assert (row.state, row.answer) == ("failed", "The channel was turned off.")
    page = owner.post(f"{URL}deliveries/{row.pk}/retry", follow=True).content.decode()
    assert "is off. Turn it on first." in page
    assert Delivery.objects.get().state == "failed"


def test_a_new_secret_takes_the_old_ones_place(owner, workspace):
    channel = add(workspace, kind="webhook", secret="whsec_b2xk")
    page = owner.post(f"{URL}{channel.pk}/secret").content.decode()
    channel.refresh_from_db()
    assert channel.secret != "whsec_b2xk"
    assert channel.secret in page
    slack = add(workspace)
    assert owner.post(f"{URL}{slack.pk}/secret")["Location"] == URL
    slack.refresh_from_db()
    assert slack.secret == ""


def test_a_channel_is_deleted_with_what_waits_for_it(owner, workspace, sweep, now):
    channel = add(workspace)
    move_sweep(sweep, SweepStatus.FAILED, now)
    assert owner.post(f"{URL}{channel.pk}/delete")["Location"] == URL
    assert not Channel.objects.exists()
    assert not Delivery.objects.exists()


# --- Deliveries ---------------------------------------------------------------------------------
def test_a_test_is_under_way_and_the_page_waits_for_its_result(owner, workspace, now):
    channel = add(workspace)
    answer = owner.post(f"{URL}{channel.pk}/test")
    assert answer["Location"].startswith(URL)
    page = owner.get(URL).content.decode()
    assert 'hx-trigger="every 2s"' in page
    row = Delivery.objects.get()
    assert (row.event, row.payload["data"]["by"]) == ("test", "alice")
    later = timezone.now() + timedelta(seconds=5)
    notices.put_off(notices.claim(row.pk, later), "It answered 500.", later)
    fragment = owner.get(URL, headers={"HX-Request": "true"}).content.decode()
    assert fragment.strip().startswith('<section class="card flush" id="deliveries"')
    assert "Given up" in fragment
    assert "It answered 500." in fragment
    assert "hx-trigger" not in fragment


def test_what_was_given_up_is_tried_again_once_asked(owner, workspace, sweep, now):
    add(workspace)
    move_sweep(sweep, SweepStatus.FAILED, now)
    row = Delivery.objects.get()
    notices.put_off(notices.claim(row.pk, now), "Gone.", now, again=False)
    assert "Try again" in owner.get(URL).content.decode()
    owner.post(f"{URL}deliveries/{row.pk}/retry")
    row.refresh_from_db()
    assert (row.state, row.tries) == ("waiting", 0)
    notices.mark_sent(notices.claim(row.pk, timezone.now()), "204", timezone.now())
    page = owner.post(f"{URL}deliveries/{row.pk}/retry", follow=True).content.decode()
    assert "It has been sent already" in page


def test_hostile_names_and_answers_are_text(owner, workspace, make_sweep, now):
    sweep = make_sweep(display_name=EVIL)
    add(workspace, name=EVIL)
    move_sweep(sweep, SweepStatus.FAILED, now, reason=EVIL)
    row = Delivery.objects.get()
    notices.put_off(notices.claim(row.pk, now), EVIL, now, again=False)
    for path in (URL, f"{URL}{row.channel_id}/"):
        page = owner.get(path).content.decode()
        assert EVIL not in page
        assert "&lt;img src=x" in page


def test_what_failed_stays_in_sight_behind_many_that_were_sent(owner, workspace, sweep, now):
    channel = add(workspace)
    common = {"channel": channel, "event": "sweep.failed", "payload": {"data": {}}, "since": now}
    Delivery.objects.create(
        **common, state="failed", answer="Long ago.", due_at=now, ended_at=now, created_at=now
    )
    for _ in range(50):
        Delivery.objects.create(**common, state="sent", due_at=now, ended_at=now)
    assert "Long ago." in owner.get(URL).content.decode()


# --- Who may ------------------------------------------------------------------------------------
def test_contributors_see_and_change_nothing(client, bob, workspace, sweep, now):
    client.force_login(bob)
    channel = add(workspace)
    move_sweep(sweep, SweepStatus.FAILED, now)
    row = Delivery.objects.get()
    notices.put_off(notices.claim(row.pk, now), "Gone.", now, again=False)
    page = client.get(URL).content.decode()
    assert "room" in page
    assert "Gone." in page
    assert "s3cret" not in page
    assert f'action="{URL}' not in page
    for path in ("new", f"{channel.pk}/"):
        assert client.get(URL + path).status_code == 404
    retry = f"deliveries/{row.pk}/retry"
    for path in (
        "new",
        *(f"{channel.pk}/{verb}" for verb in ("", "test", "secret", "delete")),
        retry,
    ):
        assert client.post(URL + path, posted()).status_code == 404
    assert Channel.objects.get().name == "room"
    assert Delivery.objects.get().state == "failed"


def test_readers_and_strangers_see_nothing(client, rita, charlie, workspace):
    add(workspace)
    for person in (rita, charlie):
        client.force_login(person)
        assert client.get(URL).status_code == 404
    client.force_login(rita)
    assert URL not in client.get("/w/default/settings/").content.decode()


def test_channels_of_other_workspaces_are_out_of_reach(owner, charlie, sweep, now):
    theirs = add(charlie.workspaces.get())
    waiting = notices.send_test(theirs, "charlie", now)
    for path in (f"{theirs.pk}/delete", f"{theirs.pk}/test", f"deliveries/{waiting.pk}/retry"):
        assert owner.post(URL + path).status_code == 404
    assert owner.get(f"{URL}{theirs.pk}/").status_code == 404
    assert Delivery.objects.count() == 1


def test_the_settings_lead_to_it(owner):
    assert URL in owner.get("/w/default/settings/").content.decode()
