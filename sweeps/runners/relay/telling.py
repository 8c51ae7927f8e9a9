"""What a carrier tells the studio of its spool, and what it does for it there."""

import base64
import os
import tarfile
import time
from collections.abc import Iterator, Mapping
from typing import Any

from sweeps.runners import outcomes, spool
from sweeps.runners.relay.line import Line
from sweeps.runners.relay.parcels import ARCHIVE, FOLDERS

_STREAMS = {"stdout": spool.STDOUT, "stderr": spool.STDERR}
_PIECE, _PARCEL = 512 * 1024, 4 * 2**20
# What is written is told after so long at the latest, but not more often.
_SOON_S = 0.5
_CUT = "Outputs beyond {:,} files or {:,} MiB stayed on the machine, and are gone with it."


class Teller:
    """Tells of one spool; `told` is the answer to the claim."""

    def __init__(self, line: Line, folder: str, told: Mapping[str, Any]) -> None:
        self._line, self._folder = line, folder
        self._files, self._size = told["relay"]["files"], told["relay"]["size"]
        self._there = dict.fromkeys(_STREAMS, 0)
        self._shim: dict[str, Any] | None = None
        self._again_s = float(told.get("again_s", 2.0))
        self._at = float("-inf")
        self._wishes: dict[str, Any] = {}

    def is_due(self, now: float) -> bool:
        """Whether it is time to tell: the studio wants to hear, or there is news."""
        since = now - self._at
        if since >= self._again_s:
            return True
        return (since >= _SOON_S and self._has_written()) or self._new_shim() is not None

    def tell(self) -> bool:
        """Tell what is new, once; False where nobody heard. Raises Refusal, CutOff."""
        self._at = time.monotonic()
        news = self._news()
        answer = self._line.try_once("tell", news)
        if answer is not None:
            self._take(answer, news)
        return answer is not None

    def obey(self, answer: Mapping[str, Any]) -> None:
        """Write down what is wanted of the command, where its shim looks."""
        for key, name in (("stop", spool.STOP), ("limit", spool.LIMIT)):
            wish = answer.get(key)
            if wish is not None and wish != self._wishes.get(key):
                own = {k: v for k, v in wish.items() if k in ("grace_s", "reason", "time_limit_s")}
                spool.write(self._folder, name, own)
                self._wishes[key] = wish

    def finish(self) -> None:
        """Tell all that is left: logs, outputs, result. Raises Refusal, CutOff."""
        self._tell_surely()
        while self._has_written():
            self._tell_surely()
        result = spool.read_result(self._folder)
        assert result is not None  # the shim has written it, or whoever took over
        note = self._send_outputs()
        self._line.end(outcomes.with_note(result, note)._asdict())

    def _tell_surely(self) -> None:
        news = self._news()
        self._take(self._line.ask("tell", news), news)

    def _take(self, answer: Mapping[str, Any], news: Mapping[str, Any]) -> None:
        self._shim = news.get("shim", self._shim)
        self._there = {name: int(answer[name]) for name in _STREAMS}
        self._again_s = float(answer["again_s"])
        self.obey(answer)

    def _news(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        shim = self._new_shim()
        if shim is not None:
            found["shim"] = shim
        for name, file in _STREAMS.items():
            if data := self._read(file, self._there[name]):
                text = base64.b64encode(data).decode()
                found[name] = {"at": self._there[name], "data": text}
        return found

    def _new_shim(self) -> dict[str, Any] | None:
        """Its record, if it is another one than was told; both of its versions count."""
        if self._shim is not None and "command_pid" in self._shim:
            return None
        shim = spool.read(self._folder, spool.SHIM)
        return shim if shim != self._shim else None

    def _has_written(self) -> bool:
        return any(self._length(file) > self._there[name] for name, file in _STREAMS.items())

    def _length(self, file: str) -> int:
        try:
            return os.stat(os.path.join(self._folder, file)).st_size
        except FileNotFoundError:
            return 0

    def _read(self, file: str, at: int) -> bytes:
        try:
            with open(os.path.join(self._folder, file), "rb") as log:
                log.seek(at)
                return log.read(_PIECE)
        except FileNotFoundError:
            return b""

    def _send_outputs(self) -> str:
        """Bring the outputs to the studio; what is to be said of those that stay."""
        path = os.path.join(self._folder, ARCHIVE)
        count, note = self._pack(path)
        if count:
            with open(path, "rb") as archive:
                at = 0
                while data := archive.read(_PARCEL):
                    taken = int(self._line.send(f"outputs?at={at}", data)["at"])
                    if taken == at:  # the studio takes no more
                        return note or _CUT.format(self._files, self._size // 2**20)
                    at = taken
                    archive.seek(at)
        return note

    def _pack(self, path: str) -> tuple[int, str]:
        count, size = 0, 0
        with tarfile.open(path, "w:", format=tarfile.GNU_FORMAT) as archive:
            for name, length in self._outputs():
                count, size = count + 1, size + length
                if count > self._files or size > self._size:
                    return count - 1, _CUT.format(self._files, self._size // 2**20)
                archive.add(os.path.join(self._folder, name), name, recursive=False)
        return count, ""

    def _outputs(self) -> Iterator[tuple[str, int]]:
        """Files in the folders for outputs, by their names in the spool; no links."""
        for folder in FOLDERS:
            for place, _folders, names in os.walk(os.path.join(self._folder, folder)):
                for name in names:
                    path = os.path.join(place, name)
                    if os.path.isfile(path) and not os.path.islink(path):
                        yield os.path.relpath(path, self._folder), os.path.getsize(path)
