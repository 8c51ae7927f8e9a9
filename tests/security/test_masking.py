"""What a command prints of a secret gets into its logs as ***."""

import base64
import json
import random
import re
from urllib.parse import quote

import pytest

from studio.secrecy import filled, hidden, is_sensitive, kept, masks, named_in
from sweeps.runners.masking import Mask

SECRET = "s3cr3t/Canary+value=1"


def masked(texts: tuple[str, ...], *pieces: bytes) -> bytes:
    mask = Mask(texts)
    return b"".join([*(mask.feed(piece) for piece in pieces), mask.rest()])


def test_a_value_is_masked_however_the_reads_cut_it() -> None:
    text = f"before {SECRET} between {SECRET}{SECRET} after {SECRET[:-1]} end".encode()
    wanted = f"before *** between ****** after {SECRET[:-1]} end".encode()
    for cut in range(len(text)):
        assert masked(masks([SECRET]), text[:cut], text[cut:]) == wanted
    assert masked(masks([SECRET]), *(bytes([one]) for one in text)) == wanted


def test_any_cuts_of_any_texts_give_what_the_whole_gives() -> None:
    draw = random.Random(6)
    for _ in range(400):
        texts = tuple("".join(draw.choices("ab", k=draw.randint(2, 6))) for _ in range(3))
        data = "".join(draw.choices("ab", k=60)).encode()
        cuts = sorted(draw.choices(range(60), k=8))
        pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, 60], strict=True)]
        longest_first = sorted(set(texts), key=len, reverse=True)
        whole = re.sub("|".join(longest_first).encode(), b"***", data)
        assert masked(texts, *pieces) == whole, (texts, pieces)


def test_what_cannot_be_the_beginning_of_a_secret_is_shown_at_once() -> None:
    mask = Mask(masks([SECRET]))
    assert mask.feed(b"epoch 1 of 3\n") == b"epoch 1 of 3\n"
    assert mask.feed(b"loss s3cr") == b"loss "
    assert mask.feed(b"ets\n") == b"s3crets\n"


@pytest.mark.parametrize("width", [64, 76])
@pytest.mark.parametrize("end", ["", "\n"])
def test_base64_in_lines_is_masked_but_for_its_last_letters(width: int, end: str) -> None:
    secret = "".join(random.Random(2).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=170))
    code = base64.b64encode((secret + end).encode()).decode()
    lines = [code[at : at + width] for at in range(0, len(code), width)]
    shown = masked(masks([secret]), "\n".join(lines).encode()).decode()
    assert [line.replace("***", "") for line in shown.split("\n")[:-1]] == [""] * (len(lines) - 1)
    assert len(shown.split("\n")[-1].replace("***", "")) <= 14


def test_both_ways_to_write_an_address_and_json_are_masked() -> None:
    small = re.sub("%..", lambda found: found[0].lower(), quote(SECRET, safe=""))
    assert masked(masks([SECRET]), small.encode()) == b"***"
    assert masked(masks([SECRET]), json.dumps(SECRET).replace("/", "\\/").encode()) == b'"***"'


@pytest.mark.parametrize("lead", ["", "x", "xy", "user:"])
def test_base64_is_masked_wherever_the_value_stands_in_it(lead: str) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        shown = masked(masks([SECRET]), encode(f"{lead}{SECRET}zz".encode())).decode()
        assert "***" in shown
        assert len(shown.replace("***", "")) <= 14


@pytest.mark.parametrize(
    "form",
    [
        quote(SECRET, safe=""),
        json.dumps({"k": 'two\n"lines" of it'}),
        repr('two\n"lines" of it'),
        'two\r\n"lines" of it',
        '"lines" of it',
    ],
)
def test_other_ways_to_write_a_value_are_masked(form: str) -> None:
    shown = masked(masks([SECRET, 'two\n"lines" of it']), form.encode())
    assert b"***" in shown
    assert b"lines" not in shown
    assert b"Canary" not in shown


def test_short_values_are_left_alone() -> None:
    assert masks(["12345", " 1234   "]) == ()
    assert masks(["123456"])


def test_output_without_secrets_comes_through_unchanged() -> None:
    mask = Mask(masks([f"secret-number-{n}-{n * n}" for n in range(3)]))
    chunk = b"some output of a loop that prints a lot\n" * 1600
    assert b"".join(mask.feed(chunk) for _ in range(20)) == chunk * 20


def test_references_are_found_filled_in_and_shown_as_they_are() -> None:
    text = "postgres://u:${{secrets.PW}}@h/${{ secrets.DB }}?${{secrets.PW}}"
    assert named_in(text) == ["PW", "DB"]
    assert filled(text, {"PW": "${{secrets.DB}}", "DB": "d"}.__getitem__) == (
        "postgres://u:${{secrets.DB}}@h/d?${{secrets.DB}}"
    )
    assert hidden({"A": text, "MY_TOKEN": "${{secrets.T}}", "X_API_KEY": "abc", "B": "abc"}) == {
        "A": text,
        "MY_TOKEN": "${{secrets.T}}",
        "X_API_KEY": "***",
        "B": "abc",
    }
    assert kept({"X_API_KEY": "***", "Y_TOKEN": "***"}, {"X_API_KEY": "abc"}) == {
        "X_API_KEY": "abc",
        "Y_TOKEN": "***",
    }


def test_names_that_say_so_hold_secrets() -> None:
    for name in ("DB_PASSWORD", "my_token", "AWS_SECRET_ACCESS_KEY", "S_CONNECTION_STRING"):
        assert is_sensitive(name)
    assert not is_sensitive("TOKENS_PER_BATCH")
