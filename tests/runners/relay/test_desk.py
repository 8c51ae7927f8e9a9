"""What the desk takes from carriers, and from whom."""

import base64
import io
import os
import tarfile
from pathlib import Path

import pytest

from sweeps.runners import attempts, spool
from sweeps.runners.relay import asked, desk, keys, parcels
from sweeps.runners.relay.desk import NotYours, Over, Refused
from tests.runners.contract import launch

TICKET, SECRET = "the ticket of the job", "a secret of the carrier"
RESULT = {
    "ended_by": "exit", "exit_code": 0, "signal": None, "started_at": 1.0, "ended_at": 2.0,
    "peak_memory_bytes": None, "message": "",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """The spool of an attempt that was handed in; its log may have ten bytes."""
    lent = tmp_path / "data"
    (lent / "in").mkdir(parents=True)
    (lent / "in" / "a.csv").write_text("a,b\n")
    (lent / "link").symlink_to("/etc/passwd")
    spec = launch(tmp_path / "a", "true", log_cap_bytes=10, env={"TOKEN": "xyz"})
    relay = {
        "ticket": desk.fingerprint(TICKET), "key": "0" * 32, "keys": str(tmp_path / "keys"),
        "spool": str(tmp_path / "a"), "lease_s": 900.0, "python": "", "machine": ["PATH"],
        "lent": [str(lent), str(lent / "in" / "a.csv")], "files": 3, "size": 1000,
    }  # fmt: skip
    assert attempts.claim(spec, str(spec.spool), relay=relay)
    return str(spec.spool)


def claim(folder: str, ticket: str = TICKET, secret: str = SECRET) -> dict:
    return asked.answer(
        folder, "claim", ticket, b'{"secret": "%b", "host": "node"}' % secret.encode()
    )


def tell(folder: str, secret: str = SECRET, **news: object) -> dict:
    return desk.tell(folder, secret, news)


def piece(at: int, data: bytes) -> dict:
    return {"at": at, "data": base64.b64encode(data).decode()}


def log(folder: str) -> bytes:
    return Path(folder, "stdout.log").read_bytes()


def test_a_claim_is_told_what_to_run_and_may_be_repeated(folder):
    told = claim(folder)
    assert told["launch"]["env"] == {"TOKEN": "xyz"}
    assert told["relay"]["lease_s"] == 900.0
    assert "ticket" not in told["relay"]
    assert claim(folder) == told


def test_another_carrier_or_a_wrong_ticket_gets_nothing(folder):
    with pytest.raises(NotYours):
        claim(folder, ticket="guessed")
    claim(folder)
    for refused in (
        lambda: claim(folder, secret="another carrier's secret"),
        lambda: tell(folder, secret=TICKET),
        lambda: desk.end(folder, "guessed", {"result": RESULT}),
        lambda: desk.outputs(folder, "guessed", 0, b"x"),
        lambda: desk.lent_file(folder, "guessed", 1, ""),
    ):
        with pytest.raises(NotYours):
            refused()
    assert spool.read_result(folder) is None


def test_nothing_is_answered_before_the_claim_or_after_the_end(folder):
    with pytest.raises(Over):
        tell(folder)
    assert spool.claim(folder, spool.GUARD, {"lost": "given up"})
    with pytest.raises(Over):
        claim(folder)
    with pytest.raises(Over):
        asked.answer(None, "tell", SECRET, b"{}")


def test_a_lost_attempt_is_over_for_its_carrier(folder):
    claim(folder)
    attempts.lost(folder, "its node failed")
    with pytest.raises(Over):
        tell(folder)


def test_secrets_leave_the_record_once_the_carrier_has_them(folder):
    claim(folder)
    assert spool.read(folder, spool.LAUNCH)["env"] == {"TOKEN": "xyz"}
    tell(folder, shim={"pid": 7, "start_time": 1, "boot_id": "there", "command_pid": 8})
    assert spool.read(folder, spool.LAUNCH)["env"] == {}
    assert spool.read(folder, spool.SHIM)["command_pid"] == 8


def test_logs_come_in_pieces_once_each_and_up_to_the_cap(folder):
    claim(folder)
    assert tell(folder, stdout=piece(0, b"abc"))["stdout"] == 3
    tell(folder, stdout=piece(0, b"abc"))
    tell(folder, stdout=piece(1, b"bcd"))
    assert log(folder) == b"abcd"
    assert tell(folder, stdout=piece(9, b"gap"))["stdout"] == 4
    tell(folder, stdout=piece(4, b"x" * 5000))
    assert len(log(folder)) == 210  # the cap, and the note of the shim that it was cut


@pytest.mark.parametrize("news", [7, {"at": -1, "data": ""}, {"at": 0, "data": "?"}, {"at": "0"}])
def test_what_is_no_piece_changes_nothing(folder, news):
    claim(folder)
    tell(folder, stdout=news, shim=news)
    assert log(folder) == b""
    assert spool.read(folder, spool.SHIM) is None


def test_wishes_reach_the_carrier(folder):
    claim(folder)
    attempts.order_stop(folder, 3.0, "canceled by ada")
    spool.write(folder, spool.LIMIT, {"time_limit_s": 7.0})
    told = tell(folder)
    assert told["stop"] == {"grace_s": 3.0, "reason": "canceled by ada"}
    assert told["limit"] == {"time_limit_s": 7.0}


def test_lent_files_and_no_others_are_given_out(folder, tmp_path):
    told = claim(folder)["lent"]
    assert [one["files"] for one in told] == [["in/a.csv"], None]
    assert desk.lent_file(folder, SECRET, 0, "in/a.csv") == str(tmp_path / "data/in/a.csv")
    assert desk.lent_file(folder, SECRET, 1, "") == str(tmp_path / "data/in/a.csv")
    for number, name in ((0, "link"), (0, "../a/launch.json"), (0, "/etc/passwd"), (0, ""), (2, ""),
                         (-1, ""), (1, "x"), (0, "in\0")):  # fmt: skip
        with pytest.raises(Refused):
            desk.lent_file(folder, SECRET, number, name)


def archive(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:") as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def send(folder: str, data: bytes) -> None:
    claim(folder)
    at = 0
    while at < len(data):
        now = desk.outputs(folder, SECRET, at, data[at : at + 700])
        assert now > at
        at = now
    assert desk.outputs(folder, SECRET, 0, b"again") == len(data)
    desk.end(folder, SECRET, {"result": RESULT})


def test_outputs_arrive_where_they_lie_for_trials_here(folder):
    file = tarfile.TarInfo("outputs/model/a.bin"), b"model"
    os.makedirs(f"{folder}/work/outputs")
    Path(folder, "work/outputs/b").write_text("of the code")
    send(folder, archive(file, (tarfile.TarInfo("work/outputs/b"), b"new")))
    assert Path(folder, "outputs/model/a.bin").read_bytes() == b"model"
    assert Path(folder, "work/outputs/b").read_bytes() == b"new"
    assert not os.path.exists(f"{folder}/{parcels.ARCHIVE}")
    assert spool.read_result(folder).message == ""


def link(name: str, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


@pytest.mark.parametrize(
    "member",
    [
        (tarfile.TarInfo("result.json"), b"x"),
        (tarfile.TarInfo("outputs/../launch.json"), b"x"),
        (tarfile.TarInfo("/etc/cron.d/x"), b"x"),
        (link("outputs/x", "/etc"), b""),
        (tarfile.TarInfo("outputs/large"), b"x" * 1001),
    ],
)
def test_an_archive_puts_nothing_anywhere_else(folder, member, tmp_path):
    before = set(tmp_path.rglob("*"))
    send(folder, archive(member))
    assert "Some outputs could not be taken over" in spool.read_result(folder).message
    made = {path.name for path in set(tmp_path.rglob("*")) - before}
    assert made <= {"guard.json", "heartbeat", "result.json", "outputs"}


def test_what_is_no_archive_is_told(folder):
    send(folder, b"no archive" * 100)
    assert "Some outputs could not be taken over" in spool.read_result(folder).message


def test_no_more_is_kept_than_outputs_may_have(folder):
    claim(folder)
    assert desk.outputs(folder, SECRET, 0, bytes(10**6)) == 0


def test_a_result_counts_once_and_has_the_shape_of_one(folder):
    claim(folder)
    for wrong in ({}, {"result": 7}, {"result": RESULT | {"ended_by": "magic"}},
                  {"result": RESULT | {"exit_code": "0"}}):  # fmt: skip
        with pytest.raises(Refused):
            desk.end(folder, SECRET, wrong)
    desk.end(folder, SECRET, {"result": RESULT | {"more": 1}})
    desk.end(folder, SECRET, {"result": RESULT | {"exit_code": 3}})
    assert spool.read_result(folder).exit_code == 0


def test_keys_open_their_spool_until_they_are_dropped_and_move_with_a_home(tmp_path):
    key, home = keys.new_key(), tmp_path / "home"
    keys.put(str(home / "relay"), key, str(home / "trials" / "a"))
    assert keys.spool_of(str(home / "relay"), key) == str(home / "trials" / "a")
    home.rename(tmp_path / "moved")
    moved = str(tmp_path / "moved" / "relay")
    assert keys.spool_of(moved, key) == str(tmp_path / "moved" / "trials" / "a")
    for wrong in ("", "..", f"../relay/{key}", key.upper(), "0" * 32):
        assert keys.spool_of(moved, wrong) is None
    keys.drop(moved, key)
    assert keys.spool_of(moved, key) is None


@pytest.mark.parametrize(
    ("verb", "body", "kind"),
    [
        ("claim", b"[]", Refused),
        ("claim", b"{", Refused),
        ("claim", b'{"secret": "short"}', Refused),
        ("steal", b"{}", Refused),
        ("lent", b'{"number": "0", "name": 1}', Refused),
    ],
)
def test_requests_of_another_shape_are_refused(folder, verb, body, kind):
    with pytest.raises(kind):
        asked.answer(folder, verb, TICKET, body)
    with pytest.raises(NotYours):
        asked.answer(folder, "tell", "", b"{}")


def heads(count: int, size: int = 10, kind: bytes = tarfile.XHDTYPE) -> bytes:
    """An archive of heads that announce further ones, each so long."""
    one = tarfile.TarInfo("outputs/x")
    one.type, one.size = kind, size
    padded = b"9 a=1234\n".ljust(-(-min(size, 512) // 512) * 512, b"\0")
    return (one.tobuf(tarfile.USTAR_FORMAT) + padded) * count


def sparse() -> bytes:
    """An archive with a file of holes, whose map is in its first block."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("outputs/x")
        member.size = 512
        member.pax_headers = {
            "GNU.sparse.major": "1",
            "GNU.sparse.minor": "0",
            "GNU.sparse.name": "outputs/x",
            "GNU.sparse.realsize": "1",
        }
        archive.addfile(member, io.BytesIO(b"99999999\n".ljust(512, b"0")))
    return made.getvalue()


@pytest.mark.parametrize(
    "data", [heads(3_000), heads(1, 2**32), heads(1, 2**32, tarfile.GNUTYPE_LONGNAME), sparse()]
)
def test_heads_of_an_archive_are_as_long_as_names_need(folder, data, tmp_path):
    claim(folder)
    Path(folder, parcels.ARCHIVE).write_bytes(data)
    desk.end(folder, SECRET, {"result": RESULT})
    result = spool.read_result(folder)
    assert "Some outputs could not be taken over" in result.message
    assert not Path(folder, parcels.ARCHIVE).exists()


def test_what_is_told_of_an_end_can_be_read_again(folder):
    claim(folder)
    desk.end(folder, SECRET, {"result": RESULT | {"message": "m" * 9_000_000}})
    assert spool.read_result(folder).message == "m" * 2_000


def test_a_request_of_very_many_values_is_not_read(folder):
    body = b'{"a": [' + b"[[]]," * 100_000 + b"1]}"
    with pytest.raises(Refused, match="too many values"):
        asked.answer(folder, "tell", SECRET, body)
