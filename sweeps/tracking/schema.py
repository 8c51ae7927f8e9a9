"""Create or upgrade MLflow's tables, and put its SQLite file in WAL mode."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

# Any number that nobody else uses in this database.
_SETTING_UP = 0x4D4C464C


@contextmanager
def _quiet(*names: str) -> Iterator[None]:
    """Raise the named loggers to WARNING, and mute Python's warnings.

    Migrations announce each step at INFO; MLflow's mappers use a deprecated SQLAlchemy option.
    """
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _mlflow_tables() -> Any:
    """MLflow's module for its tables: private, untyped and slow to import; mlflow is pinned."""
    from mlflow.store.db import utils

    return utils


def _bring_up_to_date(utils: Any, engine: Engine) -> None:
    if utils._is_empty_database(engine):
        utils._initialize_tables(engine)
    elif utils._get_schema_version(engine) != utils._get_latest_schema_revision():
        _upgrade(utils, engine)
    utils._verify_schema(engine)


def _upgrade(utils: Any, engine: Engine) -> None:
    from alembic.util import CommandError

    try:
        utils._upgrade_db(engine)
    except CommandError as error:
        where = engine.url.render_as_string()  # without the password
        raise RuntimeError(
            f"The tracking database {where} was written by a newer MLflow ({error}); "
            "start the release of the studio that wrote it, or restore a backup."
        ) from error


def _use_wal(engine: Engine) -> None:
    """WAL is a property of the file: one writer no longer blocks the readers of any process."""
    with engine.connect() as connection:
        mode = connection.execute(text("PRAGMA journal_mode=WAL")).scalar()
    if mode != "wal":
        raise RuntimeError(
            f"SQLite kept journal mode {mode!r} for {engine.url.database} instead of WAL; "
            "put STUDIO_HOME on a local disk."
        )


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """While no other host makes these tables."""
    if engine.dialect.name != "postgresql":
        yield
        return
    with engine.connect() as connection:
        connection.execute(text(f"SELECT pg_advisory_lock({_SETTING_UP})"))
        yield
        connection.invalidate()  # closed, and with it the lock


def ensure_schema(store_uri: str, artifacts: str | Path) -> None:
    """Make the store at `store_uri` usable by the installed MLflow, and the artifact directory.

    Idempotent, prints nothing. `store_uri` is an SQLAlchemy URL (`sqlite:////abs/mlflow.db`,
    `postgresql://...`). Raises `RuntimeError` when the database is of a newer MLflow than the
    installed one, and when SQLite refuses WAL.
    """
    Path(artifacts).mkdir(parents=True, exist_ok=True)
    utils = _mlflow_tables()  # before the silence: importing mlflow sets its log level
    with _quiet("mlflow", "alembic"):
        engine: Engine = utils.create_sqlalchemy_engine_with_retry(store_uri)
        try:
            if engine.dialect.name == "sqlite":
                _use_wal(engine)
            with _alone(engine):
                _bring_up_to_date(utils, engine)
        finally:
            engine.dispose()
