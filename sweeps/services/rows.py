"""Writes of single rows by hand: Django takes ten times as long to make such a statement as the
database to follow it, and every trial takes a score of them.

No signals are sent, and no model's `save` is called: none of ours has either.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import DateTimeField, JSONField, Model

# As many as go into one statement by hand.
_FEW = 20


def update(model: type[Model], where: Mapping[str, Any], **changes: Any) -> int:
    """Give the rows whose columns are as `where` says (None: NULL) new values; how many there were.

    Columns go by their names or, as `trial_id`, by those of their values.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    given = {name: value for name, value in where.items() if value is not None}
    sql = _updating(model, tuple(changes), tuple(given), tuple(n for n in where if n not in given))
    params = [
        _stored(_column(model, name)[0], value, connection)
        for values in (changes, given)
        for name, value in values.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


@cache
def _updating(
    model: type[Model], changed: tuple[str, ...], given: tuple[str, ...], null: tuple[str, ...]
) -> str:
    sets = [f"{_column(model, name)[1]} = %s" for name in changed]
    conditions = [f"{_column(model, name)[1]} = %s" for name in given]
    conditions += [f"{_column(model, name)[1]} IS NULL" for name in null]
    table = connections[DEFAULT_DB_ALIAS].ops.quote_name(model._meta.db_table)
    return f"UPDATE {table} SET {', '.join(sets)} WHERE {' AND '.join(conditions)}"  # noqa: S608


def _stored(field: Any, value: Any, connection: Any) -> Any:
    """The value as the database takes it. Numbers and text need nothing (but enumerations do)."""
    if value is None or (type(value) in (int, float, str) and _is_plain(field)):
        return value
    return field.get_db_prep_save(value, connection)


def insert(*rows: Model) -> None:
    """Save new rows of one model; a few learn their primary keys."""
    model: Any = type(rows[0])
    connection = connections[DEFAULT_DB_ALIAS]
    if len(rows) > _FEW:  # Django knows how many a statement holds.
        model.objects.bulk_create(rows)
    elif connection.features.can_return_columns_from_insert:
        _insert(model, rows, connection)
    else:  # SQLite before 3.35 does not tell keys.
        for row in rows:
            row.save(force_insert=True)


def _insert(model: type[Model], rows: tuple[Model, ...], connection: Any) -> None:
    fields, head, places, tail = _insertion(model)
    params = [
        _stored(field, getattr(row, field.attname), connection) for row in rows for field in fields
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"{head} {', '.join([places] * len(rows))} {tail}", params)
        keys = cursor.fetchall()
    for row, (key,) in zip(rows, keys, strict=True):
        row.pk, row._state.adding, row._state.db = key, False, connection.alias


def insert_plain(rows: Sequence[Model]) -> None:
    """Save many new rows of one model whose values need no conversion (numbers, text, None).

    They learn no keys. A quarter of what `bulk_create` takes.
    """
    if not rows:
        return
    fields, head, places, _ = _insertion(type(rows[0]))
    values = [tuple(getattr(row, field.attname) for field in fields) for row in rows]
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.executemany(f"{head} {places}", values)


def insert_many(rows: Sequence[Model]) -> None:
    """Save many new rows of one model; values that need a conversion (JSON, times) get it.

    They learn no keys. Half of what `bulk_create` takes.
    """
    if not rows:
        return
    fields, head, places, _ = _insertion(type(rows[0]))
    connection = connections[DEFAULT_DB_ALIAS]
    ways = [(field.attname, field, _is_plain(field)) for field in fields]
    values = [
        tuple(
            getattr(row, name)
            if is_plain
            else field.get_db_prep_save(getattr(row, name), connection)
            for name, field, is_plain in ways
        )
        for row in rows
    ]
    with connection.cursor() as cursor:
        cursor.executemany(f"{head} {places}", values)


@cache
def _is_plain(field: Any) -> bool:
    """True for numbers and text, which a database takes as they are."""
    return not isinstance(field, DateTimeField | JSONField)


def delete(model: type[Model], keys: Sequence[int]) -> None:
    """Delete rows that nothing refers to."""
    connection = connections[DEFAULT_DB_ALIAS]
    table = connection.ops.quote_name(model._meta.db_table)
    _, column = _column(model, "pk")
    places = ", ".join(["%s"] * len(keys))
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE {column} IN ({places})", keys)  # noqa: S608


@cache
def _column(model: type[Model], name: str) -> tuple[Any, str]:
    meta = model._meta
    field: Any = meta.pk if name == "pk" else meta.get_field(name)
    return field, connections[DEFAULT_DB_ALIAS].ops.quote_name(field.column)


@cache
def _insertion(model: type[Model]) -> tuple[tuple[Any, ...], str, str, str]:
    meta, quoted = model._meta, connections[DEFAULT_DB_ALIAS].ops.quote_name
    key: Any = meta.pk
    fields = tuple(field for field in meta.concrete_fields if not field.primary_key)
    columns = ", ".join(quoted(str(field.column)) for field in fields)
    places = f"({', '.join(['%s'] * len(fields))})"
    head = f"INSERT INTO {quoted(meta.db_table)} ({columns}) VALUES"
    return fields, head, places, f"RETURNING {quoted(key.column)}"
