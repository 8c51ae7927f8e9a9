"""Conditions of the whole studio that everybody should know of."""

from datetime import datetime

from sweeps.models import Condition


def set_condition(name: str, text: str, now: datetime) -> bool:
    """Note that the condition holds; True if it did not before."""
    row, is_new = Condition.objects.get_or_create(name=name, defaults={"text": text, "since": now})
    if not is_new and row.text != text:
        Condition.objects.filter(pk=row.pk).update(text=text)
    return is_new


def clear_condition(name: str) -> bool:
    """Note that it holds no more; True if it did."""
    return bool(Condition.objects.filter(name=name).delete()[0])
