"""Tags as people type them: `churn, team=risk`."""


def parse_tags(text: str) -> dict[str, str]:
    """The typed tags."""
    found: dict[str, str] = {}
    for part in text.split(","):
        key, _, value = part.strip().partition("=")
        if key.strip():
            found[key.strip()] = value.strip()
    return found
