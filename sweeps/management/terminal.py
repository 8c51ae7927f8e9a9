"""Django's commands as the verbs of `sweeps.client` see a terminal."""

from typing import Any, cast

from django.core.management.base import BaseCommand, OutputWrapper

from sweeps.client.verbs import Terminal


def terminal_of(command: BaseCommand) -> Terminal:
    """Where a command writes."""
    return Terminal(_plain(command.stdout), _plain(command.stderr))


def _plain(wrapper: OutputWrapper) -> Any:
    """The stream as it is: its wrapper adds neither line feeds nor colours."""
    wrapper.ending, wrapper.style_func = "", None
    return cast(Any, wrapper)
