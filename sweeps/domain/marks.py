"""What people note on a trial: a pin, tags, a note."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.wording import shown

MOST_TAGS = 20
LONGEST_TAG = 50
LONGEST_NOTE = 10_000


@dataclass(frozen=True, slots=True)
class Mark:
    """The marks of one trial; the default is none."""

    pinned: bool = False
    tags: tuple[str, ...] = ()
    note: str = ""

    def says(self, text: str) -> bool:
        """True if `text` is in a tag or in the note, in whatever case."""
        wanted = text.casefold()
        return any(wanted in words.casefold() for words in (*self.tags, self.note))


NONE = Mark()


def split_tags(text: str) -> tuple[str, ...]:
    """Tags as people type them: `promising, check again`."""
    return tidy_tags(text.split(","))


def tidy_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Each once, without blanks around it, in the order given; empty ones are dropped."""
    return tuple(dict.fromkeys(filter(None, (" ".join(tag.split()) for tag in tags))))


def check_tags(tags: Sequence[str]) -> None:
    """Raises InvalidInput for what is no tag, or too many of them; the field is "tags"."""
    problems = [Problem("tags", text) for text in _wrong_tags(tags)]
    if problems:
        raise InvalidInput(problems)


def _wrong_tags(tags: Sequence[str]) -> Iterable[str]:
    if len(tags) > MOST_TAGS:
        yield f"A trial has {MOST_TAGS} tags at most, but these are {len(tags):,}."
    for tag in tags:
        if len(tag) > LONGEST_TAG:
            yield f"A tag has {LONGEST_TAG} characters at most; {shown(tag)} has {len(tag):,}."
        elif "," in tag or not tag.isprintable():
            yield f"A tag has no comma and no control character, unlike {shown(tag)}."


def check_note(note: str) -> None:
    """Raises InvalidInput for a note that is too long; the field is "note"."""
    if len(note) > LONGEST_NOTE:
        text = f"A note has {LONGEST_NOTE:,} characters at most, but this has {len(note):,}."
        raise InvalidInput.one("note", text)
