"""`python -m sweeps.client VERB …`: a running studio from the terminal of any machine."""

import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter

from sweeps.client import verbs
from sweeps.client.ml_client import MLClient
from sweeps.client.tables import environment_lines


def parser() -> ArgumentParser:
    """What may be typed."""
    _, _, codes = (verbs.__doc__ or "").partition("\n\n")
    top = ArgumentParser(
        prog="python -m sweeps.client",
        description=f"{__doc__}\n\n{codes}",
        formatter_class=RawDescriptionHelpFormatter,
    )
    of = top.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, text: str, subject: str = "NAME") -> ArgumentParser:
        found = of.add_parser(name, help=text, description=f"{text}.")
        found.add_argument("--url", help="the studio (STUDIO_URL)")
        found.add_argument("--token", help="an API token (STUDIO_TOKEN)")
        found.add_argument("--workspace", help="by default the token's own")
        found.add_argument("--json", action="store_true", help="print the REST answer")
        if subject:
            found.add_argument("subject", metavar=subject)
        return found

    verbs.add_verbs(verb)
    verb("environments", "list the workspace's environments, by name", "")
    return top


def main(arguments: list[str], client: MLClient | None = None) -> int:
    """Do what the verb says; the exit code."""
    given = parser().parse_args(arguments)
    made: list[MLClient] = []

    def ours() -> MLClient:
        if client is not None:
            return client
        if not made:
            made.append(MLClient(given.url, token=given.token, workspace=given.workspace))
        return made[0]

    def environments(_: verbs.Jobs, given: Namespace, terminal: verbs.Terminal) -> None:
        found = [one.raw for one in ours().environments.list()]
        verbs.answer(given, terminal, found, environment_lines(found))

    terminal = verbs.Terminal(sys.stdout, sys.stderr)
    try:
        return verbs.run(lambda: ours().jobs, given, terminal, {"environments": environments})
    finally:
        for one in made:
            one.close()
