"""The log: whole lines under names, whoever reads it or does not."""

import os
import sys
import time
from collections.abc import Callable

import pytest

from studio.supervisor import lines
from studio.supervisor.lines import Log, Outputs

Pipe = tuple[int, int]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    monkeypatch.setattr(lines, "say", lambda name, text: found.append((name, text)))
    return found


@pytest.fixture
def part() -> tuple[Outputs, Callable[[bytes], int], Callable[[], None]]:
    """Outputs with one part, what prints in its name, and what ends it."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    outputs = Outputs()
    outputs.add("web", reader)
    return outputs, lambda data: os.write(writer, data), lambda: os.close(writer)


def test_lines_come_whole_whatever_the_pieces(part, told) -> None:
    outputs, prints, end = part
    for piece in (b"one\ntw", b"o\n\xff\n", b"the rest"):
        prints(piece)
        outputs.drain()
    assert told == [("web", "one"), ("web", "two"), ("web", "\N{REPLACEMENT CHARACTER}")]
    end()
    outputs.drain()
    assert told[3:] == [("web", "the rest")]
    assert outputs.descriptors == []


def test_of_what_mlflow_echoes_a_line_tells_the_beginning(told) -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    outputs = Outputs()
    outputs.add("tracking", reader)
    os.write(writer, b"short\n" + b"x" * 30_000 + b"\n")
    os.close(writer)
    outputs.drain()
    assert told == [
        ("tracking", "short"),
        ("tracking", "x" * lines.ECHOED + "… (30,000 characters)"),
    ]


def test_a_line_without_end_is_told_in_pieces(part, told) -> None:
    outputs, prints, end = part
    prints(b"x" * (lines.LONGEST + 1))
    outputs.drain()
    assert told == [("web", "x" * (lines.LONGEST + 1))]
    end()
    outputs.drain()


def test_a_log_that_nobody_reads_stops_nobody_and_loses_the_oldest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as full, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", full)
        log, began = Log(), time.monotonic()
        count = 5 * lines.KEPT
        for number in range(count):
            log.say("web", f"{number:040}")
        assert time.monotonic() - began < 10
        os.set_blocking(reader, False)
        text = b""
        while data := os.read(reader, 65536) if _waits(reader) else b"":
            text += data
            log.flush()
    os.close(reader)
    numbers = [int(line.split(b"| ")[1]) for line in text.splitlines()]
    assert numbers == sorted(numbers)
    assert numbers[-lines.KEPT :] == list(range(count - lines.KEPT, count))
    assert len(numbers) < count


def _waits(reader: int) -> bool:
    import select

    return bool(select.select([reader], [], [], 0)[0])
