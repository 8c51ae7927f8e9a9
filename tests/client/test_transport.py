"""Requests that do not arrive, and answers that are no good ones."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from sweeps.client import ConflictError, StudioUnavailable, ValidationException
from sweeps.client.downloads import RestSource, download_trial
from sweeps.client.transport import PATIENCE_S, Transport


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def transport(handler: Callable[[httpx.Request], httpx.Response], clock: Clock) -> Transport:
    http = httpx.Client(base_url="http://studio", transport=httpx.MockTransport(handler))
    return Transport("http://studio/", "t", http=http, sleep=clock.sleep, clock=lambda: clock.now)


def test_a_studio_that_comes_back_is_waited_for(tmp_path) -> None:
    bodies, answers = [], iter([httpx.ConnectError("refused"), 503, 429, 201])

    def handler(request: httpx.Request) -> httpx.Response:
        bodies.append(request.read())
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer, json={"digest": "d"})

    file, clock = tmp_path / "f", Clock()
    file.write_bytes(b"content")
    assert transport(handler, clock).upload("/code", "code", "c.zip", file) == {"digest": "d"}
    assert clock.slept == [0.25, 0.5, 1.0]
    assert all(b"content" in body for body in bodies), "each time from the beginning"


def test_patience_has_an_end() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    clock = Clock()
    with pytest.raises(StudioUnavailable, match=r"http://studio does not answer \(refused\)"):
        transport(handler, clock).get("/workspaces")
    assert PATIENCE_S / 2 < clock.now <= PATIENCE_S


def test_a_studio_that_is_asked_too_often_is_asked_again_when_it_says() -> None:
    answers = iter([(429, "3"), (429, "soon"), (503, "5"), (200, "")])

    def handler(request: httpx.Request) -> httpx.Response:
        status, after = next(answers)
        return httpx.Response(status, json={"a": 1}, headers={"Retry-After": after})

    clock = Clock()
    assert transport(handler, clock).get("/x") == {"a": 1}
    assert clock.slept == [3, 0.5, 1.0], "what is away is often back sooner"


@pytest.mark.parametrize("after", ["60", "9" * 400])
def test_it_is_not_waited_for_longer_than_anything_else(after: str) -> None:
    problem = {"code": "rate_limited", "message": "More than 1 requests a minute; go on in 60 s."}

    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(429, json={"errors": [problem]}, headers={"Retry-After": after})

    clock = Clock()
    with pytest.raises(StudioUnavailable, match="go on in 60 s") as error:
        transport(handler, clock).get("/x")
    assert (clock.slept, error.value.status, error.value.code) == ([], 429, "rate_limited")


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        (httpx.Response(500, text="<h1>Oops</h1>"), StudioUnavailable, "answers 500: <h1>Oops"),
        (httpx.Response(413, text=""), ValidationException, "answers 413: no words"),
        (
            httpx.Response(409, json={"errors": [{"code": "conflict", "message": "Over."}]}),
            ConflictError,
            "Over.",
        ),
        (httpx.Response(412, text="Changed."), ConflictError, "answers 412: Changed."),
    ],
)
def test_no_good_answer_is_sent_for_again(answer, kind, told) -> None:
    asked = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["Authorization"])
        return answer

    with pytest.raises(kind, match=told) as error:
        transport(handler, Clock()).post("/x")
    assert asked == ["Bearer t"]
    assert error.value.status == answer.status_code


ARTIFACTS = {
    "": [{"path": "outputs", "is_dir": True}, {"path": "a b.txt", "is_dir": False}],
    "outputs": [{"path": "outputs/model", "is_dir": True}],
    "outputs/model": [{"path": "outputs/model/MLmodel", "is_dir": False}],
}


def files(request: httpx.Request) -> httpx.Response:
    """A trial with three files and a log."""
    path = request.url.path.removeprefix("/api/v1/trials/0")
    if path.startswith("/logs"):
        offset = int(request.url.params["offset"])
        return httpx.Response(200, text="line\n"[offset:], headers={"X-Next-Offset": "5"})
    name = path.removeprefix("/artifacts").removeprefix("/")
    if name in ARTIFACTS:
        # A page of one each.
        at = int(request.url.params["cursor"] or 0)
        more = str(at + 1) if ARTIFACTS[name][at + 1 :] else None
        return httpx.Response(200, json={"items": ARTIFACTS[name][at:][:1], "next_cursor": more})
    return httpx.Response(200, content=f"bytes of {name}".encode())


def test_all_files_of_a_trial_are_brought(tmp_path) -> None:
    away = transport(files, Clock())
    written = download_trial(RestSource(away, "/trials/0"), tmp_path, output="", logs=True)
    assert [str(path.relative_to(tmp_path)) for path in written] == [
        *(
            "artifacts/outputs/model/MLmodel",
            "artifacts/a b.txt",
            "logs/stdout.log",
            "logs/stderr.log",
        )
    ]
    assert written[1].read_text() == "bytes of a b.txt"
    assert written[2].read_text() == "line\n"


def test_one_output_is_brought_alone(tmp_path) -> None:
    away = transport(files, Clock())
    [file] = download_trial(RestSource(away, "/trials/0"), tmp_path, output="model", logs=True)
    assert file == tmp_path / "named-outputs" / "model" / "MLmodel"
    with pytest.raises(Exception, match="nothing named “modell”"):
        download_trial(RestSource(away, "/trials/0"), tmp_path, output="modell", logs=False)


class Body(httpx.SyncByteStream):
    """Two blocks; before the second `between` is called."""

    def __init__(self, between: Callable[[], object]) -> None:
        self._between = between

    def __iter__(self) -> Iterator[bytes]:
        yield b"1" * 2**20
        self._between()
        yield b"2"


WHOLE = b"1" * 2**20 + b"2"


MODEL = {"path": "model.bin", "is_dir": False}


def streamed(tmp_path: Path, *between: Callable[[], object]) -> Path:
    """Where a file is brought to whose body halts once per answer."""
    left = iter(between)

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/artifacts"):
            return httpx.Response(200, json={"items": [MODEL], "next_cursor": None})
        return httpx.Response(200, stream=Body(next(left)))

    source = RestSource(transport(handler, Clock()), "/t")
    [file] = download_trial(source, tmp_path, output="", logs=False)
    return file


def test_a_file_goes_to_disk_as_it_comes_and_has_its_name_once_it_is_whole(tmp_path: Path) -> None:
    def look() -> None:
        half = tmp_path / "artifacts" / "model.bin.part"
        seen.append((half.stat().st_size, half.with_suffix("").exists()))

    seen: list[tuple[int, bool]] = []
    file = streamed(tmp_path, look)
    assert seen == [(2**20, False)]
    assert file.read_bytes() == WHOLE
    assert [path.name for path in file.parent.iterdir()] == ["model.bin"]


def test_a_download_that_breaks_off_begins_anew(tmp_path: Path) -> None:
    def broken() -> None:
        raise httpx.ReadError("gone")

    assert streamed(tmp_path, broken, lambda: None).read_bytes() == WHOLE


def test_of_a_download_that_fails_nothing_stays(tmp_path: Path) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts" / "model.bin").write_bytes(b"of yesterday")
    with pytest.raises(OSError, match="No space left"):
        streamed(tmp_path, full)
    [file] = (tmp_path / "artifacts").iterdir()
    assert file.read_bytes() == b"of yesterday"


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a/../../b", "a\\..\\b"])
def test_no_name_leads_out_of_the_folder(tmp_path, name: str) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200, json={"items": [{"path": name, "is_dir": False}], "next_cursor": None}
        )

    with pytest.raises(ValidationException, match="no plain name"):
        download_trial(
            RestSource(transport(handler, Clock()), "/t"), tmp_path / "d", output="", logs=False
        )
