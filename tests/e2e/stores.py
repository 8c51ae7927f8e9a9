"""Reading the databases past the programs that own them: SQLite files and PostgreSQL, one way."""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg


class Row(tuple[Any, ...]):
    """A row whose values are found by place or by name."""

    names: Sequence[str]

    def __new__(cls, values: Sequence[Any], names: Sequence[str]) -> "Row":
        row = super().__new__(cls, values)
        row.names = names
        return row

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self.names.index(key) if isinstance(key, str) else key)


def read(database: str | Path, query: str, *values: Any) -> list[Row]:
    """The rows of a query; `?` stands for a value."""
    if isinstance(database, Path):
        db: Any = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=20)
    else:
        db = psycopg.connect(database)
        query = query.replace("?", "%s")
    try:
        cursor = db.execute(query, values)
        names = [column[0] for column in cursor.description]
        return [Row(row, names) for row in cursor.fetchall()]
    finally:
        db.close()


def write(database: str | Path, query: str, *values: Any) -> None:
    """One statement, committed."""
    if isinstance(database, Path):
        with sqlite3.connect(database, timeout=20) as db:
            db.execute(query, values)
        db.close()
    else:
        with psycopg.connect(database) as connection:
            connection.execute(query.replace("?", "%s"), values)


def document(value: Any) -> Any:
    """A JSON column's value: PostgreSQL gives it read already, SQLite as text."""
    return json.loads(value) if isinstance(value, str) else value
