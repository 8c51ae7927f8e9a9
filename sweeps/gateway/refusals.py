"""How the gateway says no: an answer in the shape of MLflow's own errors."""

from typing import Any


class Refusal(Exception):
    """An answer other than success; `code` is one of MLflow's error codes."""

    def __init__(self, status: int, code: str, message: str, retry_s: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_s = retry_s

    def as_json(self) -> dict[str, Any]:
        return {"error_code": self.code, "message": self.message}


def unauthenticated(message: str) -> Refusal:
    return Refusal(401, "UNAUTHENTICATED", message)


def missing() -> Refusal:
    """What is foreign and what is not there get this same answer."""
    return Refusal(404, "RESOURCE_DOES_NOT_EXIST", "There is no such thing in this workspace.")


def forbidden(message: str) -> Refusal:
    """Only for things that the caller may read; anything else is `missing`."""
    return Refusal(403, "PERMISSION_DENIED", message)


def invalid(message: str) -> Refusal:
    return Refusal(400, "INVALID_PARAMETER_VALUE", message)


def too_often(message: str, retry_s: int) -> Refusal:
    return Refusal(429, "REQUEST_LIMIT_EXCEEDED", message, retry_s)


def unavailable() -> Refusal:
    """MLflow's client tries again, with growing pauses."""
    message = "The tracking server does not answer at the moment; the same request may work soon."
    return Refusal(503, "TEMPORARILY_UNAVAILABLE", message)
