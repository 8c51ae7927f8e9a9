"""Settings out of environment variables."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from sqlalchemy import create_engine

from studio.env import mail_server, sqlalchemy_url


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgresql://me:pw@host/db?x=1", "postgresql+psycopg://me:pw@host/db?x=1"),
        ("postgres://host/db", "postgresql+psycopg://host/db"),
        ("postgresql+psycopg://host/db", "postgresql+psycopg://host/db"),
        ("sqlite:////home/me/mlflow.db", "sqlite:////home/me/mlflow.db"),
    ],
)
def test_mlflows_store_is_opened_by_the_driver_that_is_installed(given: str, used: str) -> None:
    assert sqlalchemy_url(given) == used
    assert create_engine(used).driver in ("psycopg", "pysqlite")


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [
        ("smtp://mail.example.org", 25, False, False),
        ("smtp+starttls://mail.example.org", 587, True, False),
        ("smtps://me%40x:p%2Fw@mail.example.org", 465, False, True),
        ("smtps://mail.example.org:2465", 2465, False, True),
    ],
)
def test_a_mail_server_is_one_url(url: str, port: int, tls: bool, ssl: bool) -> None:
    found = mail_server(url, "X")
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"]) == ("mail.example.org", port)
    assert (found["EMAIL_USE_TLS"], found["EMAIL_USE_SSL"]) == (tls, ssl)
    user = ("me@x", "p/w") if "@" in url else ("", "")
    assert (found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == user


def test_no_mail_server_sets_nothing_and_a_wrong_one_stops_the_start() -> None:
    assert mail_server("", "X") == {}
    for url in ("mail.example.org", "http://mail", "smtp://mail:port"):
        with pytest.raises(ImproperlyConfigured, match="X must be"):
            mail_server(url, "X")
