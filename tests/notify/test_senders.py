"""What the senders send, and what they make of what comes back."""

import json
import smtplib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from sweeps.notify import http, mail, slack, webhook
from sweeps.notify.base import NotSent, Parcel
from sweeps.notify.words import headline, lines
from tests.notify.receiver import Receiver, is_signed
from tests.stores.web import serving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
URL = "http://studio/w/default/sweeps/iris/"


def payload(event: str = "sweep.completed", **changes: Any) -> dict[str, Any]:
    data = {
        "workspace": "default", "sweep": "iris", "display_name": "", "url": URL, "reason": "",
        "metric": "loss", "goal": "minimize", "status": "Completed",
        "trials": {"total": 20, "ended": 20, "completed": 18, "failed": 2},
        "best": {"trial": 12, "value": 0.123456789, "params": {"lr": 0.5, "b": "gbdt"}},
    }  # fmt: skip
    return {"type": event, "timestamp": AT.isoformat(), "data": data | changes}


def parcel(address: str, **changes: Any) -> Parcel:
    return Parcel("msg_1", address, SECRET, payload(**changes), AT, private=True)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with serving() as web:
        yield Receiver(web)


# --- Webhooks -----------------------------------------------------------------------------------
def test_the_signature_is_the_one_that_the_specification_publishes() -> None:
    made = webhook.signature(
        SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_webhook_carries_the_notice_its_name_and_a_signature(receiver: Receiver) -> None:
    assert webhook.send(parcel(receiver.address)).startswith("204 in ")
    [(headers, body)] = receiver.got
    assert json.loads(body) == payload()
    assert headers["webhook-id"] == "msg_1"
    assert headers["webhook-timestamp"] == str(int(AT.timestamp()))
    assert headers["content-type"] == "application/json"
    assert is_signed(headers, body, SECRET)
    assert not is_signed(headers, body + b" ", SECRET)


def test_a_refusal_is_told_in_one_clean_line(receiver: Receiver) -> None:
    receiver.answers, receiver.headers = [503], {"Retry-After": "120"}
    with pytest.raises(NotSent) as error:
        webhook.send(parcel(receiver.address))
    assert str(error.value) == "It answered 503: no <b>thanks</b> today."
    assert (error.value.again, error.value.asked_s) == (True, 120)


def test_who_is_gone_is_not_asked_again(receiver: Receiver) -> None:
    receiver.answers = [410]
    with pytest.raises(NotSent) as error:
        webhook.send(parcel(receiver.address))
    assert not error.value.again


def test_redirects_are_not_followed(receiver: Receiver) -> None:
    receiver.answers, receiver.headers = [307], {"Location": f"{receiver.web.base}/hook"}
    with pytest.raises(NotSent, match="redirects are not followed"):
        webhook.send(parcel(receiver.address))
    assert len(receiver.got) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433"])
@pytest.mark.parametrize("sender", [webhook.send, slack.send])
def test_the_studios_own_network_is_out_of_reach(
    receiver: Receiver, sender: Any, host: str
) -> None:
    address = receiver.address.replace("127.0.0.1", host)
    with pytest.raises(NotSent, match="own network") as error:
        sender(replace(parcel(address), private=False))
    assert not error.value.again
    assert receiver.got == []


def test_nobody_at_home_is_told_and_tried_again() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/"
    with pytest.raises(NotSent, match="No answer") as error:
        webhook.send(parcel(address))
    assert error.value.again


def test_a_receiver_that_drips_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "WITHIN_S", 0.3)
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                while not over.wait(0.05):
                    try:
                        connection.sendall(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        began = time.monotonic()
        with pytest.raises(NotSent):
            webhook.send(parcel(f"http://127.0.0.1:{server.getsockname()[1]}/"))
        took = time.monotonic() - began
        over.set()
        thread.join()
    assert took < 10


# --- Slack --------------------------------------------------------------------------------------
def test_slack_gets_a_text_in_which_names_are_only_names(receiver: Receiver) -> None:
    evil = "<!channel> & `@here` *x* [a](http://b)\nnext"
    slack.send(parcel(receiver.address, display_name=evil, reason=evil))
    [body] = receiver.bodies
    assert set(body) == {"text"}
    quoted = "`&lt;!channel&gt; &amp; '@here' *x* [a](http://b) next`"
    [first, reason, *_, last] = body["text"].split("\n")
    assert first == f"Sweep {quoted} is complete"
    assert reason == quoted
    assert last == URL


# --- Words --------------------------------------------------------------------------------------
def test_a_notice_says_what_happened_how_it_stands_and_where_to_look() -> None:
    assert headline(payload()) == "Sweep iris is complete"
    assert list(lines(payload())) == [
        "20 of 20 trials ended, 2 of them failed.",
        "Best: trial 12 with loss 0.123457.",
        "Its parameters: lr = 0.5, b = gbdt",
        URL,
    ]
    best = payload("sweep.new_best", display_name="Iris")
    assert headline(best) == "Sweep Iris has a new best trial: trial 12 with loss 0.123457"


def test_a_sweep_without_a_best_has_words_too() -> None:
    found = list(lines(payload("sweep.failed", best=None, reason="It broke.")))
    assert found == ["It broke.", "20 of 20 trials ended, 2 of them failed.", URL]


def test_long_names_and_many_parameters_are_cut() -> None:
    many = {"trial": 1, "value": 1.0, "params": {f"p{n}": n for n in range(50)}}
    found = list(lines(payload(display_name="x" * 5000, best=many)))
    assert found[-2].endswith("p19 = 19 and 30 more")
    assert len(headline(payload(display_name="x" * 5000))) < 400


# --- E-mail -------------------------------------------------------------------------------------
@pytest.fixture
def server(settings: Any) -> None:
    settings.STUDIO_SMTP_URL = "smtp://mail"
    settings.DEFAULT_FROM_EMAIL = "Sweep Studio <studio@example.org>"


def test_a_mail_has_a_subject_of_one_line_and_the_same_name_at_each_try(
    server: None, mailoutbox: list[Any]
) -> None:
    mail.send(parcel("ann@example.org", display_name="a\r\nBcc: eve@example.org"))
    [sent] = mailoutbox
    assert sent.subject == "Sweep a Bcc: eve@example.org is complete"
    assert (sent.to, sent.bcc) == (["ann@example.org"], [])
    message = sent.message()
    assert message["Message-ID"] == "<msg_1@example.org>"
    assert URL in sent.body
    assert "trial 12" in sent.body


def test_without_a_server_mail_says_so(settings: Any) -> None:
    settings.STUDIO_SMTP_URL = ""
    with pytest.raises(NotSent, match="STUDIO_SMTP_URL"):
        mail.send(parcel("ann@example.org"))


@pytest.mark.parametrize(
    ("trouble", "again", "words"),
    [
        (smtplib.SMTPRecipientsRefused({"a": (550, b"no such\nuser")}), False, "550: no such user"),
        (smtplib.SMTPRecipientsRefused({"a": (450, b"busy")}), True, "450: busy"),
        (smtplib.SMTPAuthenticationError(535, b"who?"), True, "535: who?"),
        (ConnectionRefusedError("refused"), True, "could not be used: refused"),
    ],
)
def test_what_the_mail_server_refuses_is_told(
    server: None, monkeypatch: pytest.MonkeyPatch, trouble: Exception, again: bool, words: str
) -> None:
    def refuse(_: Any) -> None:
        raise trouble

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    with pytest.raises(NotSent) as error:
        mail.send(parcel("ann@example.org"))
    assert words in str(error.value)
    assert error.value.again is again
