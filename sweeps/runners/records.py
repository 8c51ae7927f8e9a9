"""What the records of a spool look like. A command may write there: what looks otherwise is none.

Whoever reads them uses their numbers as pids and times, and their texts go into a database.
"""

from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], bool]
Fields = Mapping[str, Check]

# The year 2286: later times are none of ours. As a span it is longer than any limit.
_FAR = 1e10
# More than any Linux gives out.
_MOST_PIDS = 2**22


def _number(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < _FAR


def _up_to(most: int) -> Check:
    return lambda value: type(value) is int and 0 <= value < most


def _or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _word(value: Any) -> bool:
    return isinstance(value, str)


def _text(value: Any) -> bool:
    """True for words that every database takes: no NUL, no half of a character."""
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _words(value: Any) -> bool:
    return isinstance(value, list) and all(map(_word, value))


def _variables(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_word, value.values()))


_bytes, _pid = _up_to(2**60), _up_to(_MOST_PIDS)
# Never root: a number that is no user's would end as one.
_USER: Fields = {
    "uid": lambda value: _up_to(2**32 - 1)(value) and value > 0,
    "gid": lambda value: _up_to(2**32 - 1)(value) and value > 0,
    "processes": _up_to(2**31),
    "umask": _up_to(0o1000),
}
_IDENTITY: Fields = {"pid": _pid, "start_time": _up_to(2**63), "boot_id": _word}
_LAUNCH: Fields = {
    "name": _word, "cookie": _word, "argv": _words, "cwd": _word, "env": _variables,
    "time_limit_s": _or_null(_number), "grace_s": _number, "log_cap_bytes": _bytes,
    "boot_id": _word, "launched_at": _number, "launch": _number,
}  # fmt: skip
_RELAY: Fields = {
    "ticket": _word, "key": _word, "keys": _word, "spool": _word, "lease_s": _number,
    "python": _word, "machine": _words, "lent": _words, "files": _bytes, "size": _bytes,
}  # fmt: skip
_RESULT: Fields = {
    "ended_by": _word, "exit_code": _or_null(_up_to(2**31)), "signal": _or_null(_up_to(2**31)),
    "started_at": _number, "ended_at": _number, "peak_memory_bytes": _or_null(_bytes),
    "message": _text,
}  # fmt: skip


def _has(fields: Fields, optional: Fields | None = None) -> Callable[[Mapping[str, Any]], bool]:
    """Checks that a record has all of `fields`, and of `optional` some; more does not matter."""

    def check(record: Mapping[str, Any]) -> bool:
        return all(name in record and fits(record[name]) for name, fits in fields.items()) and all(
            fits(record[name]) for name, fits in (optional or {}).items() if name in record
        )

    return check


_lost = _has({"lost": _text})
_living = _has(_IDENTITY)


def _user(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == _USER.keys() and _has(_USER)(value)


def _relay(value: Any) -> bool:
    return isinstance(value, dict) and _has(_RELAY)(value)


is_launch = _has(
    _LAUNCH,
    {
        "spool": _word,
        "user": _or_null(_user),
        "secrets": _words,
        "kept": _words,
        "relay": _relay,
        "node": _text,
    },
)
is_shim = _has(_IDENTITY, {"command_pid": _pid, "started_at": _number, "start": _number})
is_stop = _has(
    {"grace_s": _or_null(_number), "reason": _text}, {"asked": _number, "asked_at": _number}
)
is_limit = _has({"time_limit_s": _or_null(_number)})
is_result = _has(_RESULT)
is_reason = _has({"reason": _text})
is_job = _has({"number": _word, "at": _number})
is_how = _has({"warm": lambda value: isinstance(value, bool), "reason": _text})


def is_guard(record: Mapping[str, Any]) -> bool:
    """The guard's identity, or the verdict that there will never be one."""
    return _lost(record) if "lost" in record else _living(record)
