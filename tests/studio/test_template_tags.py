"""How values are written, and the small tags that templates use for it."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from django import forms
from django.template import Context, Template

from studio import formatting

NOW = datetime(2026, 11, 23, 14, 22, tzinfo=UTC)


def render(source: str, **context: object) -> str:
    return Template("{% load studio_tags %}" + source).render(Context(context))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.883398123, "0.883398"),
        (1.0, "1.00000"),
        (0.01111312, "0.0111131"),
        (9.9999996, "10.0000"),
        (0.00033712, "3.37120e-4"),
        (-2.5, "−2.50000"),
        (123456.7, "123457"),
        (1234567.8, "1234568"),
        (12345678.0, "1.23457e7"),
        (0.0, "0"),
        (None, "–"),
        (math.nan, "NaN"),
        (-math.inf, "−Infinity"),
    ],
)
def test_an_objective_has_six_significant_digits(value: float | None, text: str) -> None:
    assert formatting.objective(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.10021, "0.1002"),
        (0.3, "0.3000"),
        (0.0003371, "3.37e-4"),
        (0.0009999999, "0.001000"),
        (-1.15e-5, "−1.15e-5"),
        (12345.6, "12346"),
        (256, "256"),
        (-3, "−3"),
        (True, "True"),
        ("1e-7", "1e-7"),
        (None, "none"),
        ({"c": 1, "kernel": "rbf"}, '{"c": 1, "kernel": "rbf"}'),
    ],
)
def test_a_parameter_has_four_significant_digits_and_integers_are_bare(
    value: object, text: str
) -> None:
    assert formatting.param(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.05, "0.05"), (10, "10"), (1e-6, "1e-6"), (2.5e-4, "2.5e-4"), (250000, "250000"),
     (0.1 + 0.2, "0.3"), (-0.5, "−0.5"), (1e9, "1e9"), (100.0, "100"), (0, "0")],
)  # fmt: skip
def test_bounds_are_written_as_people_write_them(value: float, text: str) -> None:
    assert formatting.plain(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.00277, "+0.00277"), (-0.00054, "−5.4e-4"), (46, "+46"), (-17, "−17"), (0.0, "same"),
     (None, "–"), (0.35, "+0.350")],
)  # fmt: skip
def test_a_delta_carries_its_sign(value: float | None, text: str) -> None:
    assert formatting.delta(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4.31, "4.3 s"), (5, "5 s"), (9.97, "10 s"), (48.2, "48 s"), (59.7, "1m 00s"),
     (175, "2m 55s"), (3599.6, "1h 00m"), (6360, "1h 46m"), (187200, "2d 04h"), (-1, "0 s"),
     (None, "–")],
)  # fmt: skip
def test_durations_use_the_two_largest_units(seconds: float | None, text: str) -> None:
    assert formatting.duration(seconds) == text


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (timedelta(milliseconds=300), "just now"),
        (timedelta(seconds=59.9), "59 s ago"),
        (timedelta(minutes=18, seconds=50), "18 min ago"),
        (timedelta(hours=23, minutes=59), "23 h ago"),
        (timedelta(days=3), "20 Nov 14:22 UTC"),
        (timedelta(days=400), "19 Oct 2025 14:22 UTC"),
        (timedelta(minutes=-5, seconds=-2), "in 5 min"),
    ],
)
def test_times_are_relative_under_a_day(before: timedelta, text: str) -> None:
    assert formatting.ago(NOW - before, NOW) == text


def test_files_count_in_decimal_and_memory_in_binary_units() -> None:
    assert [formatting.size(n) for n in (820, 38_000, 3_100_000, None)] == [
        "820 B", "38 kB", "3.1 MB", "–"
    ]  # fmt: skip
    gib = 2**30
    assert [formatting.memory(n) for n in (gib / 2, 1.42 * gib, 11.2 * gib, 58 * gib)] == [
        "512 MiB", "1.42 GiB", "11.2 GiB", "58 GiB"
    ]  # fmt: skip


def test_trial_colours_repeat_after_ten_and_dashes_tell_them_apart() -> None:
    looks = {(formatting.trial_colour(n), formatting.trial_dash(n)) for n in range(40)}
    assert len(looks) == 40
    assert formatting.trial_dash(12) == "dash"


def test_progress_keeps_its_order_and_counts_what_is_not_yet_created_as_to_go() -> None:
    counts = {"Running": 3, "Starting": 1, "Completed": 32, "Failed": 3, "Queued": 2}
    parts = formatting.progress_segments(counts, 80)
    assert [(part.key, part.count) for part in parts] == [
        ("completed", 32), ("failed", 3), ("running", 4), ("rest", 41)
    ]  # fmt: skip


def test_every_status_has_a_look() -> None:
    from sweeps.domain.states import SweepStatus, TrialStatus

    missing = {*SweepStatus, *TrialStatus} - set(formatting.STATUS_LOOKS)
    assert not missing


def test_a_status_badge_says_the_status_in_words() -> None:
    html = render('{% status_badge "EarlyTerminated" pill=False %}')
    assert 'class="status family-violet"' in html
    assert "#i-scissors" in html
    assert html.endswith("Early-terminated</span>")
    running = render('{% status_badge "Running" %}')
    assert 'class="status family-blue pill"><i class="halo"></i>Running' in running


def test_a_status_from_elsewhere_is_escaped() -> None:
    assert "&lt;b&gt;" in render("{% status_badge s %}", s="<b>")


def test_an_icon_alone_is_decoration_and_a_labelled_one_an_image() -> None:
    assert 'aria-hidden="true"' in render('{% icon "star" %}')
    assert 'role="img" aria-label="best trial"' in render('{% icon "star" label="best trial" %}')


def test_one_busy_slot_of_many_still_shows() -> None:
    assert render("{% slot_bars 1 64 %}").count('class="on"') == 1
    assert render("{% slot_bars 3 4 %}").count("<i") == 4
    assert "<i" not in render("{% slot_bars 0 0 %}")


def test_a_progress_bar_describes_itself() -> None:
    html = render("{% progress_bar counts 10 thin=True %}", counts={"Completed": 4, "Lost": 1})
    assert 'aria-label="4 completed, 1 lost, 5 to go"' in html
    assert 'class="completed family-green" style="--n:4"' in html


def test_timeago_gives_the_moment_to_scripts_and_in_full_on_hover() -> None:
    html = render("{{ t|timeago }}", t=NOW)
    assert 'datetime="2026-11-23T14:22:00+00:00"' in html
    assert 'title="23 Nov 2026 14:22:00 UTC"' in html
    assert render("{{ t|timeago }}", t=None) == "–"


def test_lookup_reads_a_mapping_by_a_variable_key() -> None:
    assert render("{{ values|lookup:name|param }}", values={"a.b": 3}, name="a.b") == "3"
    assert render("{{ values|lookup:name|param }}", values={}, name="a.b") == "none"


class LimitsForm(forms.Form):
    trials = forms.IntegerField(help_text="how many", min_value=1)
    timeout = forms.CharField(required=False, help_text="whole sweep")
    goal = forms.ChoiceField(
        choices=[("min", "Minimize")], widget=forms.RadioSelect, required=False
    )


def test_a_field_shows_its_error_instead_of_its_help_and_stays_described() -> None:
    html = LimitsForm({"trials": "0"})["trials"].as_field_group()
    assert '<div class="field-help" id="id_trials_helptext" hidden>' in html
    assert 'id="id_trials_error"' in html
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_trials_helptext id_trials_error"' in html
    assert "optional" not in html


def test_a_field_marks_optional_and_shows_a_warning_that_does_not_block() -> None:
    form = LimitsForm({"trials": "6"})
    form.fields["timeout"].warning = "none set"
    html = form["timeout"].as_field_group()
    assert '<span class="optional">optional</span>' in html
    assert "field-warning" in html
    assert form.is_valid()


def test_a_group_of_choices_is_a_fieldset_with_its_name_as_legend() -> None:
    html = LimitsForm()["goal"].as_field_group()
    assert '<legend>Goal<span class="optional">optional</span></legend>' in html
    assert html.rstrip().endswith("</fieldset>")


@pytest.mark.parametrize(
    ("seconds", "text"), [(5.41, "+5.4 s"), (-19.6, "−20 s"), (-80, "−1m 20s"), (0.0, "+0 s")]
)
def test_a_difference_of_durations_has_its_units(seconds: float, text: str) -> None:
    assert formatting.duration_delta(seconds) == text


def test_counts_have_their_thousands_set_apart() -> None:
    assert (formatting.count(999), formatting.count(20_000)) == ("999", "20,000")
