"""The app of the place."""

from django.apps import AppConfig


class StudioConfig(AppConfig):
    """Workspaces, members, computes, tokens, shell pages."""

    name = "studio"
    verbose_name = "Sweep Studio"
