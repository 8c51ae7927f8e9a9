"""The app of the work."""

from django.apps import AppConfig


class SweepsConfig(AppConfig):
    """Sweep jobs and trials."""

    name = "sweeps"
    verbose_name = "Sweeps"
