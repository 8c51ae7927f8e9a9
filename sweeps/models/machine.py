"""How busy this machine was: the engine measures, pages draw."""

from django.db import models


class MachineSample(models.Model):
    """One look at the machine; only those of the last minutes are kept.

    `cpu_percent` is of all cores together since the sample before, `memory_used` in bytes. `gpus`
    has one of {"percent", "memory_used", "memory_total"} per device, [] without a driver.
    """

    at = models.DateTimeField(primary_key=True)
    cpu_percent = models.FloatField()
    memory_used = models.BigIntegerField()
    gpus = models.JSONField(default=list, blank=True)

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S}"
