"""What many ask for within a moment is made once."""

from sweeps.figures.cache import Settled


def test_a_revision_of_a_moment_ago_is_news_enough() -> None:
    settled = Settled(seconds=0.25, most=2)
    assert settled.of("a", 10, 3, now=0.0) == 10
    assert settled.of("a", 12, 3, now=0.2) == 10
    assert settled.of("b", 7, 3, now=0.2) == 7
    assert settled.of("a", 12, 10, now=0.2) == 12  # 10 is what the page has
    assert settled.of("a", 13, None, now=0.21) == 13  # it wants what there is
    assert settled.of("a", 14, 3, now=0.3) == 13
    assert settled.of("a", 14, 3, now=0.47) == 14  # too long ago
    settled.of("c", 1, 0, now=0.5)
    assert settled.of("b", 9, 3, now=0.3) == 9  # forgotten
