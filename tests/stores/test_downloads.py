"""A file from the web is brought once and whole, continued, revalidated, and never from inside."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from sweeps.domain.addresses import is_public
from sweeps.domain.problems import InvalidInput
from sweeps.domain.web_inputs import WebInput, asset_problem, parse_web_input, type_problem
from sweeps.stores import guarded
from sweeps.stores.downloads import (
    Busy,
    DownloadFailed,
    Known,
    Limits,
    Version,
    _locked,
    download,
    place,
)
from tests.stores.web import Web, reply, serving

OPEN = Limits(2**20, 0, private=True)
BODY = bytes(range(256)) * 1000


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as found:
        found.files["/a/iris.csv"] = BODY
        yield found


class Told:
    """Remembers what a download told."""

    def __init__(self) -> None:
        self.all: list[tuple[int, int | None, Version]] = []

    def __call__(self, received: int, total: int | None, version: Version) -> None:
        self.all.append((received, total, version))


def get(
    root: Path, web: Web, path: str = "/a/iris.csv", limits: Limits = OPEN, **more: object
) -> Known:
    return download(root, parse_web_input(web.base + path), limits, Told(), **more)  # type: ignore[arg-type]


def test_a_file_comes_whole_with_progress_and_is_kept_by_content(web: Web, tmp_path: Path) -> None:
    told = Told()
    found = download(tmp_path, parse_web_input(f"{web.base}/a/iris.csv?sig=1"), OPEN, told)
    kept = place(tmp_path, found.digest, "iris.csv")
    assert kept.read_bytes() == BODY
    assert found.digest == hashlib.sha256(BODY).hexdigest()
    assert [path.name for path in kept.parent.iterdir()] == ["iris.csv"]
    assert told.all[0][:2] == (0, len(BODY))
    assert told.all[-1][:2] == (len(BODY), len(BODY))
    assert not list(tmp_path.glob(".part-*"))
    assert kept.stat().st_mode & 0o222 == 0, "no trial changes it for the others"


def test_what_has_not_changed_is_not_sent_again(web: Web, tmp_path: Path) -> None:
    one = get(tmp_path, web)
    assert get(tmp_path, web, known=one) is one
    web.files["/a/iris.csv"] = b"new"
    assert get(tmp_path, web, known=one).size == 3
    place(tmp_path, one.digest, "iris.csv").unlink()
    web.files["/a/iris.csv"] = BODY
    assert get(tmp_path, web, known=one).size == len(BODY), "it was gone from here"


def test_what_broke_off_is_continued_and_whole(web: Web, tmp_path: Path) -> None:
    whole = web.files["/a/iris.csv"]

    def break_off(web: Web, request: object) -> None:
        del web.special["/a/iris.csv"]
        etag = f'"{hashlib.md5(whole).hexdigest()}"'
        reply(request, 200, whole[:100_000], length=len(whole), ETag=etag)  # type: ignore[arg-type]

    web.special["/a/iris.csv"] = break_off
    told = Told()
    source = parse_web_input(f"{web.base}/a/iris.csv")
    with pytest.raises(DownloadFailed) as caught:
        download(tmp_path, source, OPEN, told)
    assert caught.value.again
    [part] = tmp_path.glob(".part-*")
    have = part.stat().st_size
    assert have > 0
    found = get(tmp_path, web, begun=told.all[-1][2])
    assert web.asked[-1][1]["range"] == f"bytes={have}-"
    assert found.digest == hashlib.sha256(BODY).hexdigest()


@pytest.mark.parametrize("where", ["headers", "body"])
def test_a_server_that_drips_is_left(web: Web, tmp_path: Path, where: str) -> None:
    over = threading.Event()

    def drip(_web: Web, request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n")
        if where == "body":
            request.wfile.write(b"Content-Length: 100000\r\n\r\n")
        with suppress(OSError):
            while not over.wait(0.02):
                request.wfile.write(b"x")

    web.special["/x"] = drip
    try:
        limits = Limits(2**20, 0, private=True, window_s=0.2, seconds=20.0)
        with pytest.raises(DownloadFailed, match="less than 8 KiB a second") as failed:
            get(tmp_path, web, "/x", limits=limits)
        assert failed.value.again
        limits = Limits(2**20, 0, private=True, seconds=0.2)
        with pytest.raises(DownloadFailed, match=r"out of time|timed out"):
            get(tmp_path, web, "/x", limits=limits)
    finally:
        over.set()


def test_a_part_of_another_version_is_thrown_away(web: Web, tmp_path: Path) -> None:
    with _locked(tmp_path / "x") as _:
        pass
    source = parse_web_input(f"{web.base}/a/iris.csv")
    part = tmp_path / f".part-{hashlib.sha256(source.url.encode()).hexdigest()[:32]}"
    part.write_bytes(b"old bytes")
    found = get(tmp_path, web, begun=Version('"of another version"'))
    assert found.digest == hashlib.sha256(BODY).hexdigest()


def test_two_at_once_do_not_write_one_part(web: Web, tmp_path: Path) -> None:
    source = parse_web_input(f"{web.base}/a/iris.csv")
    part = tmp_path / f".part-{hashlib.sha256(source.url.encode()).hexdigest()[:32]}"
    with _locked(part), pytest.raises(Busy):
        get(tmp_path, web)


@pytest.mark.parametrize(
    ("status", "again", "words"),
    [(404, False, "404 Not Found"), (403, False, "403 Forbidden"), (503, True, "503 Service"),
     (429, True, "429 Too Many"), (599, True, "answered 599")],
)  # fmt: skip
def test_other_answers_say_what_was_answered(
    web: Web, tmp_path: Path, status: int, again: bool, words: str
) -> None:
    web.special["/x"] = lambda _web, request: reply(request, status, b"")
    with pytest.raises(DownloadFailed, match=words) as caught:
        get(tmp_path, web, "/x?sig=secret")
    assert caught.value.again is again
    assert "secret" not in str(caught.value)


def test_nobody_there_is_tried_again(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="does not answer") as caught:
        download(tmp_path, parse_web_input("http://127.0.0.1:9/x"), OPEN, Told())
    assert caught.value.again


def test_limits_of_size_disk_and_checksum(web: Web, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="larger than 0 MB"):
        get(tmp_path, web, limits=Limits(100_000, 0, private=True))
    with pytest.raises(DownloadFailed, match="not enough room"):
        get(tmp_path, web, limits=Limits(2**20, 2**60, private=True))
    with pytest.raises(DownloadFailed, match="not the one in #sha256="):
        get(tmp_path, web, f"/a/iris.csv#sha256={'0' * 64}")
    right = hashlib.sha256(BODY).hexdigest()
    found = get(tmp_path, web, f"/a/iris.csv#sha256={right.upper()}")
    asked = len(web.asked)
    assert get(tmp_path, web, f"/a/iris.csv#sha256={right}", known=found) == found
    assert len(web.asked) == asked, "what is asked for is there"


def test_a_size_that_was_not_announced_is_limited_too(web: Web, tmp_path: Path) -> None:
    def endless(_web: Web, request: object) -> None:
        request.send_response(200)  # type: ignore[attr-defined]
        request.end_headers()  # type: ignore[attr-defined]
        request.wfile.write(BODY)  # type: ignore[attr-defined]

    web.special["/x"] = endless
    with pytest.raises(DownloadFailed, match="larger than"):
        get(tmp_path, web, "/x", limits=Limits(100_000, 0, private=True))


def test_redirects_are_followed_but_not_for_ever_nor_to_anything(web: Web, tmp_path: Path) -> None:
    def to(where: str) -> None:
        web.special["/r"] = lambda _web, request: reply(request, 302, b"", Location=where)

    to("/a/iris.csv")
    assert get(tmp_path, web, "/r").size == len(BODY)
    to("/r")
    with pytest.raises(DownloadFailed, match="more than 5 times"):
        get(tmp_path, web, "/r")
    for where in ("file:///etc/passwd", "http://[bad", "ftp://a/b"):
        to(where)
        with pytest.raises(DownloadFailed, match="no http or https address"):
            get(tmp_path, web, "/r")


def test_private_addresses_are_refused_at_every_step(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = Limits(2**20, 0)
    with pytest.raises(DownloadFailed, match="no public address") as caught:
        get(tmp_path, web, limits=public)
    assert not caught.value.again
    assert web.asked == [], "nobody was connected to"
    monkeypatch.setattr(guarded, "is_public", lambda address: address == "127.0.0.1")
    assert get(tmp_path, web, limits=public).size == len(BODY)
    web.special["/r"] = lambda _web, request: reply(
        request, 302, b"", Location="http://127.0.0.2:80/latest/meta-data"
    )
    with pytest.raises(DownloadFailed, match=r"127\.0\.0\.2, which is no public address"):
        get(tmp_path, web, "/r", limits=public)


def test_the_address_that_was_checked_is_the_one_connected_to(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    monkeypatch.setattr(guarded, "is_public", lambda address: address == "127.0.0.1")
    backend = guarded.PublicOnly(lambda _host, _port: answers.pop(0))
    stream = backend.connect_tcp("rebinding.example", int(web.base.rpartition(":")[2]), 5)
    assert stream.get_extra_info("server_addr")[0] == "127.0.0.1"
    stream.close()
    assert answers == [["10.0.0.1"]], "the name was looked up once"
    with pytest.raises(guarded.PrivateAddress):
        backend.connect_tcp("rebinding.example", 80, 5)


@pytest.mark.parametrize(
    ("address", "public"),
    [("93.184.216.34", True), ("2606:2800:220:1::1", True), ("127.0.0.1", False),
     ("10.1.2.3", False), ("172.16.0.1", False), ("192.168.1.1", False), ("169.254.169.254", False),
     ("100.64.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False), ("255.255.255.255", False),
     ("::1", False), ("::", False), ("fe80::1%eth0", False), ("fc00::1", False), ("ff02::1", False),
     ("fd00:ec2::254", False), ("::ffff:127.0.0.1", False), ("::ffff:93.184.216.34", True),
     ("64:ff9b::7f00:1", False), ("2002:7f00:1::", False),
     ("2001:0:4136:e378:8000:63bf:80ff:fffe", False)],
)  # fmt: skip
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize("prefix", ["", "azureml:"])
@pytest.mark.parametrize("container", ["my-data", "$root"])
def test_a_blob_is_downloaded_from_its_https_address(prefix: str, container: str) -> None:
    digest = "ab" * 32
    path = f"{prefix}wasbs://{container}@acc.blob.core.windows.net/a/b c.csv?sig=x#sha256={digest}"
    found = parse_web_input(path.replace(" ", "%20"))
    place = f"https://acc.blob.core.windows.net/{container}/a/b%20c.csv"
    assert found == WebInput(f"{place}?sig=x", place, "b c.csv", digest)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("wasb://data@acc.blob.core.windows.net/iris.csv", "wasb addresses"),
        ("wasbs://data@acc.blob.core.windows.net", "wasbs addresses of the form"),
        ("wasbs://data@acc.blob.core.windows.net/", "wasbs addresses of the form"),
        ("wasbs://data@acc.evil.example/iris.csv", "wasbs addresses of the form"),
        ("wasbs://data@me@acc.blob.core.windows.net/x", "wasbs addresses of the form"),
        ("wasbs://data:secret@acc.blob.core.windows.net/x", "wasbs addresses of the form"),
        ("wasbs://acc.blob.core.windows.net/data/x", "wasbs addresses of the form"),
        ("abfss://c@acc.dfs.core.windows.net/x", "abfss addresses"),
        ("azureml://datastores/workspaceblobstore/paths/x", "datastore of Azure ML"),
        ("s3://bucket/x", "Amazon's S3"),
        ("gs://bucket/x", "Google's storage"),
        ("ftp://host/x", "begin with ftp:"),
        ("file:///data/x", "Write the path alone: /data/x"),
        ("https://me:secret@host/x", "user or password"),
        ("https:///x", "no address that can be read"),
        ("https://host:99999/x", "no address that can be read"),
        ("https://host/x#sha256=abc", "64 hexadecimal digits"),
    ],
)
def test_what_cannot_be_downloaded_is_refused_in_plain_words(path: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        parse_web_input(path)
    assert "secret" not in str(caught.value)


def test_addresses_as_azure_writes_them() -> None:
    found = parse_web_input("azureml:https://azuremlexamples.blob.core.windows.net/d/iris.csv")
    assert (found.name, found.url[:14]) == ("iris.csv", "https://azurem")
    assert parse_web_input("http://h").name == "data"
    assert parse_web_input("http://h/a%2F..%2Fb%00c.csv").name.isprintable()
    assert asset_problem("iris:1")
    assert (asset_problem("azureml:iris@latest") or "").startswith("azureml:iris@latest is a data")
    assert not asset_problem("data/iris.csv")
    assert type_problem("mltable")
    assert not type_problem("uri_folder")
