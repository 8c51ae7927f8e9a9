"""Settings out of environment variables."""

import pytest
from sqlalchemy import create_engine

from studio.env import sqlalchemy_url


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
