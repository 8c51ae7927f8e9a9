"""Made-up requests of every operation, most of them to things that there are; what came of them.

What must hold of every answer: no 5xx; a status, content type, headers and body that the document
tells of; what the document forbids is refused; and no 2xx without a token.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from studio.wsgi import application
from sweeps.api import files
from tests.api.fuzz.stage import Stage, artifacts, bundle, set_up, zipped
from tests.api.test_submit import JOB
from tests.fuzz.inputs import DOCUMENTS, document

# All of schemathesis that ask one answer, but positive_data_acceptance: rules of jobs go beyond
# what a JSON schema can say.
ALWAYS = [
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_headers_conformance, response_schema_conformance,
]  # fmt: skip
# Sends the request twice again, without a token and with a wrong one: for so many answers of each
# operation.
PROBES = 3
JSON = "application/json; charset=utf-8"
FORM = "multipart/form-data"
SWEEP = "/api/v1/workspaces/{ws}/sweeps/{name}"
# Bodies that are fine, by operation; some are sent with something spoiled in them.
BODIES: dict[str, tuple[Any, ...]] = {
    "POST /api/v1/workspaces/{ws}/channels": (
        {"name": "ops", "kind": "webhook", "address": "https://hooks.example.org/x"},
        {"name": "ops", "kind": "slack", "address": "https://x.example.org/y", "on_best": True},
    ),
    "POST /api/v1/workspaces/{ws}/sweeps": (JOB, *DOCUMENTS),
    f"PATCH {SWEEP}": (
        {"limits": {"max_total_trials": 9, "trial_timeout": None}, "tags": {"a": "b"}},
        {"early_termination": {"type": "median_stopping"}, "stop_rules": {"target_value": 0.1}},
        {"failure_policy": {"retries": 1}, "display_name": "x", "description": None},
    ),
    f"POST {SWEEP}/trials": ({"params": {"lr": 0.5, "boosting": "dart"}},),
    f"POST {SWEEP}/clone": ({"name": "again", "display_name": "x"}, {}),
    f"POST {SWEEP}/trials/{{number}}/register": ({"name": "x", "alias": "champion"},),
    f"POST {SWEEP}/trials/rerun": ({}, {"signature": "x"}),
    "POST /api/v1/workspaces": ({"name": "another", "title": "x"},),
    "PATCH /api/v1/workspaces/{ws}": ({"title": "x", "archived": True}, {"archived": False}),
    "POST /api/v1/workspaces/{ws}/computes": ({"name": "third", "slots": 3, "is_default": True},),
    "PATCH /api/v1/workspaces/{ws}/computes/{name}": (
        {"slots": 3}, {"environment_variables": {"A": "b"}, "is_default": True, "name": "other"},
    ),
    "POST /api/v1/workspaces/{ws}/environments": (
        {"name": "more", "source": "six==1.16.0\n", "description": "x"},
        {"name": "more", "conda_file": {"dependencies": ["python=3.11", {"pip": ["six"]}]}},
    ),
    "PUT /api/v1/workspaces/{ws}/secrets/{name}": ({"value": "longer than six"},),
    "PATCH /api/v1/workspaces/{ws}/environments/{name}": (
        {"kind": "requirements", "source": "six"}, {"description": "x", "name": "other"},
    ),
}  # fmt: skip
TYPES = (
    "",
    "x",
    "text/plain",
    "application/json; charset=latin-1",
    "application/json; charset=none",
    "application/yaml; charset=utf-16",
    "application/x-www-form-urlencoded; charset=latin-1",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=x",
    "multipart/form-data; boundary=x; charset=none",
    "multipart/mixed; boundary=x",
    "multipart/form-data; boundary=" + "x" * 300,
)
QUERY: dict[str, tuple[Any, ...]] = {
    "order_by": ("number", "-objective", "started_at", "-duration_s", "params.lr", "-metrics.loss",
                 "params.boosting", "metrics.none"),
    "status": ("Running", "Completed", "Failed", "Queued", "Paused"),
    "limit": (1, 2, 50, 1000),
    "offset": (0, 3, 12, 10**6),
    "name": ("loss", "a.csv"),
    "dry_run": (1, 0, True),
}  # fmt: skip


@dataclass
class Report:
    """Statuses by operation, and what was wrong."""

    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def sent(self) -> int:
        return sum(found.total() for found in self.statuses.values())

    @property
    def good(self) -> int:
        """How many answers were 2xx."""
        each = (found.items() for found in self.statuses.values())
        return sum(number for items in each for status, number in items if status < 300)

    def line(self, label: str) -> str:
        """Which share of an operation's answers was 2xx, how many there were, all statuses."""
        found = self.statuses[label]
        share = sum(n for status, n in found.items() if status < 300) / max(1, found.total())
        told = " ".join(f"{status}:{n}" for status, n in sorted(found.items()))
        return f"{share:5.0%} of {found.total():5,} {label.replace('/api/v1', '')}  {told}"


def fuzzed(count: int, seed: int, *, only: str = "", tell: Callable[[str], object] = str) -> Report:
    """The report on about so many requests, as many of each operation (with `only` in its path).

    They are made of `seed` and the document alone. Leaves rows in the database. `tell` is given
    what came of an operation when it is through.
    """
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
    schema.config.generation.update(with_security_parameters=False)  # ignored_auth tries them
    operations = [one.ok() for one in schema.get_all_operations()]
    operations = [one for one in operations if only in one.path]
    each = max(2, -(-count // len(operations)))
    report = Report()
    with mock.patch.multiple(files, **artifacts()):
        stage = None
        for index, operation in enumerate(operations):
            sender = _Sender(operation, random.Random(seed + index), report, stage or set_up())
            sender.send(each, seed + index)
            stage = None if sender.changed else sender.stage
            told = (text for text in report.wrong if text.startswith(f"{operation.label}:"))
            tell("\n--- ".join((report.line(operation.label), *told)))
    return report


class _Sender:
    """Sends requests of one operation; keeps what answers gave for the next request."""

    def __init__(self, operation: Any, chance: random.Random, report: Report, stage: Stage) -> None:
        self.operation, self.chance, self.report = operation, chance, report
        self.statuses = report.statuses.setdefault(operation.label, Counter())
        self.stage, self.changed = stage, False
        self.cursor = self.etag = ""

    def send(self, count: int, seed: int) -> None:
        """Most requests as the document has it, others against it, where that is possible."""
        one, path = self.operation, self.operation.path
        against = count // 4 if one.query or one.body or "{number}" in path else 0
        self._send(schemathesis.GenerationMode.POSITIVE, count - against, seed)
        self._send(schemathesis.GenerationMode.NEGATIVE, against, seed)

    def _send(self, mode: Any, count: int, seed: int) -> None:
        if not count:
            return

        @seeded(seed)
        @settings(
            max_examples=count, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=self.operation.as_strategy(generation_mode=mode))
        def one(case: Any) -> None:
            self._one(case)

        one()

    def _one(self, case: Any) -> None:
        checks = self._checks(case)  # before what is put into it counts as what was generated
        self._at_something(case)
        headers = {"Authorization": f"Bearer {self.stage.token}"}
        response = case.call(headers=headers)
        self.statuses[response.status_code] += 1
        try:
            case.validate_response(response, checks=checks, headers=headers)
        except BaseExceptionGroup as errors:
            self._complain(response, *errors.exceptions)
        except AssertionError as error:
            self._complain(response, error)
        self._learn(response)
        if self.changed and self.chance.random() < 0.15:
            self.stage, self.changed, self.etag = set_up(), False, ""

    def _checks(self, case: Any) -> list[Any]:
        found = [*ALWAYS]
        if case.meta.generation.mode.is_negative and case.media_type != FORM:
            found.append(negative_data_rejection)  # whatever bytes are sent as a file are one
        if self._good <= PROBES:
            found.append(ignored_auth)
        return found

    @property
    def _good(self) -> int:
        return sum(number for status, number in self.statuses.items() if status < 300)

    def _complain(self, response: Any, *errors: BaseException) -> None:
        sent = response.request
        what = f"{sent.method} {sent.url} {sent.headers.get('Content-Type', '')} {sent.body!r}"
        self.report.wrong += [
            f"{self.operation.label}: {response.status_code} to {what[:700]}\n{error}"[:2000]
            for error in errors
        ]

    @property
    def _sure(self) -> bool:
        """True until the operation has been carried out once: then requests are simply fine."""
        return not self._good

    def _likely(self, share: float) -> bool:
        return self._sure or self.chance.random() < share

    def _rarely(self, share: float) -> bool:
        return not self._sure and self.chance.random() < share

    def _one_of(self, values: Sequence[Any]) -> Any:
        return values[0] if self._sure else self.chance.choice(values)

    def _at_something(self, case: Any) -> None:
        """Point the request at what there is, nine times of ten."""
        wrong = case.meta.is_negative_at  # stays as it is, or it would be right
        if not wrong(ParameterLocation.PATH) and self._likely(0.9):
            known = self.stage.known(case.path, case.method)
            for name in case.path_parameters or {}:
                case.path_parameters[name] = self._one_of(known[name])
        if not wrong(ParameterLocation.QUERY):
            self._query(case)
        if case.meta.generation.mode.is_positive:
            if self._likely(0.7):
                self._with_a_body(case)
            self._headers(case)

    def _query(self, case: Any) -> None:
        if self._sure:
            case.query = {}
        for name in case.query or {}:
            if name in QUERY and self.chance.random() < 0.5:
                case.query[name] = self.chance.choice(QUERY[name])
        if self.cursor and self._rarely(0.3):
            case.query = {**(case.query or {}), "cursor": self.cursor}

    def _headers(self, case: Any) -> None:
        """ETags that were given out, keys that come again, and now and then an odd content type."""
        found = {} if self._sure else dict(case.headers or {})
        if self.etag and self._rarely(0.3):
            found["If-None-Match" if case.method == "GET" else "If-Match"] = self.etag
        if case.method == "POST" and self._rarely(0.2):
            found["Idempotency-Key"] = self.chance.choice(("again", "and again"))
        if case.method != "GET" and self._rarely(0.1):
            found["Content-Type"] = self.chance.choice(TYPES)
        case.headers = found

    def _with_a_body(self, case: Any) -> None:
        form = case.media_type == FORM
        bodies = BODIES.get(self.operation.label)
        if form and not bodies:
            case.body = self._files(case.path)
        elif bodies:
            spoil = self._rarely(0.4)
            body = document(self.chance, bodies) if spoil else self._one_of(bodies)
            if case.method == "POST" and "name" in body and not spoil:
                body = body | {"name": f"made-{self.chance.randrange(10**9)}"}  # a free one
            # Written here: libraries that write JSON refuse what spoiled ones hold.
            text = json.dumps(body).encode()
            case.body = {"spec": text, "code": zipped()} if form else text

    def _files(self, path: str) -> dict[str, bytes]:
        """An upload that is fine: of code and bundles an archive, of data a file or an archive."""
        text = str(self.chance.randrange(5))
        if path.endswith("/code"):
            return {"code": zipped(text)}
        if path.endswith("/bundles"):
            return {"bundle": bundle()}
        return self.chance.choice(({"file": text.encode()}, {"folder": zipped(text)}))

    def _learn(self, response: Any) -> None:
        """What the answer gave, for the next request."""
        if response.status_code >= 300:
            return
        [self.etag] = response.headers.get("etag", [self.etag])
        self.changed |= response.request.method != "GET"
        if response.headers["content-type"] == [JSON] and response.status_code == 200:
            self.cursor = response.json().get("next_cursor") or self.cursor
