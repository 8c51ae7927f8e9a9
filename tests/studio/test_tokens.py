"""The colours hold what the page needs of them: contrast, and being told apart by everybody."""

import re
from itertools import combinations
from math import dist
from pathlib import Path

import pytest
from django.conf import settings

Rgb = tuple[float, float, float]
TOKENS = Path(settings.BASE_DIR) / "static" / "css" / "tokens.css"
FAMILIES = ("neutral", "blue", "green", "violet", "red", "amber")
# Severe colour blindness in linear RGB: Machado, Oliveira and Fernandes, 2009.
VIEWS = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216),
               (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413),
               (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602),
               (0.004733, 0.691367, 0.303900)),
}  # fmt: skip


def tokens() -> dict[str, dict[str, Rgb]]:
    """Theme to name to linear RGB."""
    found = {}
    blocks = re.findall(r'(:root|\[data-bs-theme="dark"\]) \{(.*?)\n\}', TOKENS.read_text(), re.S)
    for theme, (_, text) in zip(("light", "dark"), blocks, strict=False):
        pairs = re.findall(r"--([\w-]+): #([0-9a-f]{6});", text)
        found[theme] = {name: linear(code) for name, code in pairs}
    return found


def linear(code: str) -> Rgb:
    parts = [int(code[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return red, green, blue


def luminance(colour: Rgb) -> float:
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]


def contrast(one: Rgb, other: Rgb) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def seen(colour: Rgb, matrix: tuple[Rgb, Rgb, Rgb]) -> Rgb:
    red, green, blue = (
        min(1.0, max(0.0, sum(a * b for a, b in zip(row, colour, strict=True)))) for row in matrix
    )
    return red, green, blue


def oklab(colour: Rgb) -> Rgb:
    red, green, blue = colour
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


PALETTES = tokens()


@pytest.fixture(params=("light", "dark"))
def palette(request: pytest.FixtureRequest) -> dict[str, Rgb]:
    return PALETTES[request.param]


def test_both_themes_have_the_same_names() -> None:
    assert PALETTES["light"].keys() == PALETTES["dark"].keys()


def test_black_on_white_is_measured_right() -> None:
    assert contrast(linear("000000"), linear("ffffff")) == pytest.approx(21)
    assert oklab(linear("ffffff")) == pytest.approx((1, 0, 0), abs=1e-4)


@pytest.mark.parametrize("ground", ["surface", "raised", "canvas", "sunken"])
def test_texts_are_read_on_every_ground(palette: dict[str, Rgb], ground: str) -> None:
    least = {"text": 7, "muted": 5, "faint": 4.5, "primary": 4.5, "best": 4.5}
    least |= dict.fromkeys(FAMILIES, 4.5)
    low = {name: contrast(palette[name], palette[ground]) for name in least}
    assert {name: round(low[name], 2) for name in least if low[name] < least[name]} == {}


def test_words_are_read_on_their_own_tint(palette: dict[str, Rgb]) -> None:
    words = (*FAMILIES, "best", "primary")
    pairs = {name: contrast(palette[name], palette[f"{name}-tint"]) for name in words}
    assert min(pairs.values()) >= 5.1, pairs
    assert min(contrast(palette[name], palette["surface"]) for name in words) >= 5.3
    pairs["text on a selected row"] = contrast(palette["text"], palette["primary-tint"])
    pairs["muted on a selected row"] = contrast(palette["muted"], palette["primary-tint"])
    pairs["button"] = contrast(palette["on-primary"], palette["primary"])
    assert {name: round(value, 2) for name, value in pairs.items() if value < 4.5} == {}


def test_marks_lines_and_edges_of_controls_stand_out(palette: dict[str, Rgb]) -> None:
    marks = [f"{name}-mark" for name in FAMILIES] + [f"trial-{n}" for n in range(10)]
    marks += ["control-border", "axis", "best", "ramp-0", "ramp-1", "ramp-2"]
    low = {name: contrast(palette[name], palette["surface"]) for name in marks}
    assert {name: round(value, 2) for name, value in low.items() if value < 3} == {}


@pytest.mark.parametrize("view", [None, *VIEWS])
def test_trials_and_the_best_are_told_apart_by_all_eyes(
    palette: dict[str, Rgb], view: str | None
) -> None:
    names = [f"trial-{number}" for number in range(10)] + ["best"]
    colours = {name: palette[name] for name in names}
    if view:
        colours = {name: seen(colour, VIEWS[view]) for name, colour in colours.items()}
    apart = {
        pair: dist(oklab(colours[pair[0]]), oklab(colours[pair[1]]))
        for pair in combinations(names, 2)
    }
    nearest = min(apart, key=lambda pair: apart[pair])
    assert apart[nearest] > 0.068, (nearest, apart[nearest])
