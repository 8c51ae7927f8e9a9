"""What may go wrong between a program and the studio."""

from collections.abc import Mapping, Sequence
from typing import Any


class StudioError(Exception):
    """Base of them all.

    `errors` lists every problem as the studio told it ({"code", "message", "field"?, "line"?,
    "column"?}, and "file" where the job was read from one); `code`, `message` and `field` are the
    first's. `status` is the HTTP status, 0 where there was no answer.
    """

    code_of_class = "error"

    def __init__(
        self,
        message: str,
        *,
        field: str = "",
        status: int = 0,
        errors: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        first = {"code": self.code_of_class, "message": message}
        self.errors = [dict(e) for e in errors] or [first | ({"field": field} if field else {})]
        self.message = str(self.errors[0].get("message", message))
        self.code = str(self.errors[0].get("code", self.code_of_class))
        self.field = str(self.errors[0].get("field", ""))
        self.status = status
        super().__init__("\n".join(line(error) for error in self.errors))


class ValidationException(StudioError):
    """The job or the request cannot be used as it is."""

    code_of_class = "invalid"


class AuthenticationError(StudioError):
    """The token is missing, wrong or has run out."""

    code_of_class = "unauthenticated"


class ResourceNotFoundError(StudioError):
    """There is no such thing, or the token may not do that there."""

    code_of_class = "not_found"


class ConflictError(StudioError):
    """The request is fine, but not in the present state, or that has changed meanwhile (412)."""

    code_of_class = "conflict"


class StudioUnavailable(StudioError):
    """The studio does not answer, or not now: a part of it is away, or it is asked too often."""

    code_of_class = "unavailable"


class StreamEnded(StudioError):
    """Watching a sweep has ended without its success. `job` is how it stands, where that is known.

    Neutral: only as a JobException has the sweep failed.
    """

    code_of_class = "stream_ended"

    def __init__(self, message: str, job: Any = None) -> None:
        super().__init__(message)
        self.job = job


class JobException(StreamEnded):
    """A sweep that was watched has failed."""

    code_of_class = "job_failed"


class JobPaused(StreamEnded):
    """A sweep that was watched has paused itself after failures and waits for a person."""

    code_of_class = "job_paused"


class StreamInterrupted(StreamEnded):
    """Ctrl-C while watching; the sweep goes on."""

    code_of_class = "interrupted"


def line(error: Mapping[str, Any]) -> str:
    """A problem as one line: "job.yml:2:9: limits.timeout: Must be …, but got …"."""
    field = f"{error['field']}: " if error.get("field") else ""
    return f"{_place(error)}{field}{error.get('message', '')}"


def _place(error: Mapping[str, Any]) -> str:
    at = [error[name] for name in ("file", "line", "column") if error.get(name)]
    if error.get("file"):
        return ":".join(map(str, at)) + ": "
    return f"line {error['line']}: " if error.get("line") else ""


_BY_STATUS: dict[int, type[StudioError]] = {
    401: AuthenticationError,
    404: ResourceNotFoundError,
    409: ConflictError,
    412: ConflictError,
    429: StudioUnavailable,
}


def from_answer(status: int, body: Any, text: str) -> StudioError:
    """The error that an answer tells; `body` is its JSON, None where it is none."""
    errors = body.get("errors") if isinstance(body, dict) else None
    kind = _BY_STATUS.get(status, StudioUnavailable if status >= 500 else ValidationException)
    told = text.strip()[:200] or "no words"
    return kind(f"The studio answers {status}: {told}", status=status, errors=errors or ())
