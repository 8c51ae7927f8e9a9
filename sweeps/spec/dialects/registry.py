"""Which tool a document was written for, if it is no sweep job."""

from collections.abc import Mapping
from typing import Any

from sweeps.spec.dialects import katib, wandb
from sweeps.spec.dialects.base import Dialect

DIALECTS: tuple[Dialect, ...] = (wandb, katib)


def dialect_of(doc: Any) -> Dialect | None:
    """The dialect of a document, None for a sweep job and for what is none at all."""
    if not isinstance(doc, Mapping):
        return None
    return next((dialect for dialect in DIALECTS if dialect.is_it(doc)), None)
