"""The app of the place."""

from django.apps import AppConfig


class StudioConfig(AppConfig):
    """Workspaces, members, computes, tokens, shell pages."""

    name = "studio"
    verbose_name = "Sweep Studio"

    def ready(self) -> None:
        """Listen to people who sign in and out."""
        from studio import signs_of_entry  # noqa: F401
