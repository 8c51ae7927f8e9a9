"""Whatever is typed into a field is refused in words of people, and briefly."""

import re
from dataclasses import replace

import pytest

from sweeps.forms.checked import check
from sweeps.forms.draft import TEXTS, InputRow, VariableRow
from sweeps.forms.rows import ALL_FIELDS, FIELDS, Row
from tests.forms.test_forms import LR, draft
from tests.spec.test_words_of_problems import LONG, LONGEST, PYTHON

ODD = {
    "long": LONG,
    "digits": "9" * 20,
    "many digits": "9" * 5_000,
    "negative": "-1",
    "nan": "nan",
    "infinity": "1e999",
    "half": "½",
    "words": 'it is "so"',
    "placeholder": f"${{{{search_space.{LONG}}}}}",
    "unclosed": "$[[--x ${{inputs.a}}",
    "lines": "a\n\tb\0",
}
# What was typed itself.
QUOTED = re.compile("“[^”]*”")
POLICIES = ("", "bandit", "median_stopping", "truncation_selection", "successive_halving")


def check_words(one):
    for error in check(one).errors:
        assert not PYTHON.search(QUOTED.sub("", error.message)), error.message
        assert len(error.message) <= LONGEST, error.message


@pytest.mark.parametrize("name", ODD)
def test_errors_are_told_in_words_and_briefly(name):
    text = ODD[name]
    for field in TEXTS:
        if field == "early_type":
            continue
        for policy in POLICIES:
            check_words(draft(**{"early_type": policy, "try_first": "1", field: text}))
    for kind in FIELDS:
        typed = dict.fromkeys(ALL_FIELDS, "1")
        for field in FIELDS[kind]:
            check_words(draft(Row("0", "lr", kind, typed | {field: text})))
    check_words(draft(replace(LR, name=text)))
    check_words(draft(LR, replace(LR, key="1", name=text, parent="0", when=text)))
    for row in (InputRow(text), InputRow("a", "uri_file", text), InputRow("a", text, text)):
        check_words(replace(draft(), inputs=(row, row)))
    check_words(replace(draft(), variables=(VariableRow(text, text),) * 2))
    check_words(replace(draft(try_first="1"), first={"0": text}))


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("max_total_trials", "Must be from 1 to 100,000, but got 99999999999999999999."),
        ("max_concurrent_trials", "Must be from 1 to 1,000, but got 99999999999999999999."),
        ("timeout", "Must be at most 2,147,483,647 seconds (68 years), but got 999999999999999999"),
        ("seed", "Must be from 0 to 2^63 - 1, but got 99999999999999999999."),
        ("retries", "Must be from 0 to 10, but got 99999999999999999999."),
        ("no_improvement_trials", "Must be from 1 to 100,000, but got 99999999999999999999."),
        ("evaluation_interval", "Must be from 0 to 1,000,000,000, but got 999999999999999999"),
        ("min_reports", "Must be from 1 to 1,000,000,000, but got 99999999999999999999."),
    ],
)
def test_a_number_that_is_too_large_is_told_the_limit(field, message):
    policy = "successive_halving" if field == "min_reports" else "bandit"
    result = check(draft(**{"early_type": policy, field: "9" * 20}))
    [error] = result.errors
    assert error.field == field
    assert message in error.message
