"""Reads whose SQL Django writes once per process.

To write the SQL of a read takes Django up to ten times as long as the database to answer it, and
every trial takes some twenty reads. For those only; all others are plain querysets.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from inspect import signature
from types import SimpleNamespace
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Expression, QuerySet

Row = TypeVar("Row")


class _Slot(Expression):
    """Stands in a queryset for a value that each call brings."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """A parameter that is this slot itself; `Prepared` puts the value in its place."""
        return "%s", (self,)


@dataclass(frozen=True, slots=True)
class _Made:
    """What Django made of a queryset: how to iterate, who knows the columns, SQL, parameters."""

    iterable: Callable[[Any], Any]
    compiler: Any
    converters: Any
    sql: str
    params: tuple[Any, ...]


class Prepared(Generic[Row]):
    """Decorates a function that makes a queryset of some values: called, it returns the rows.

    The function is called once, with stand-ins, which it may only compare with columns. Values
    are numbers, texts or times, never None.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Row]]) -> None:
        self._build, self._count = build, len(signature(build).parameters)
        self._made: dict[str, _Made] = {}

    def __call__(self, *values: Any) -> list[Row]:
        connection = connections[DEFAULT_DB_ALIAS]
        made = self._made.get(connection.vendor)
        if made is None:
            made = self._made[connection.vendor] = self._make(connection)
        params = [_filled(param, values, connection) for param in made.params]
        compiler = copy(made.compiler)  # Threads share no connection.
        compiler.connection = connection
        compiler.as_sql = lambda *_, **__: (made.sql, params)
        compiler.get_converters = lambda _: made.converters
        query = SimpleNamespace(get_compiler=lambda *_, **__: compiler)
        source = SimpleNamespace(db=DEFAULT_DB_ALIAS, query=query, _known_related_objects={})
        return list(made.iterable(source))

    def first(self, *values: Any) -> Row | None:
        """The first row, if any."""
        return next(iter(self(*values)), None)

    def _make(self, connection: Any) -> _Made:
        queryset = self._build(*(_Slot(number) for number in range(self._count)))
        compiler = queryset.query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        columns = [column for column, *_ in compiler.select]
        iterable: Any = queryset._iterable_class
        return _Made(iterable, compiler, compiler.get_converters(columns), sql, tuple(params))


def _filled(param: Any, values: tuple[Any, ...], connection: Any) -> Any:
    value = values[param.number] if isinstance(param, _Slot) else param
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value
