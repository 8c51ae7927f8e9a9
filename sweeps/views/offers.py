"""What can be done to many trials at once, in words with counts: for those ticked, and for all
that the filters keep."""

from dataclasses import dataclass

from sweeps.domain.board import Board, Mask
from sweeps.domain.states import ACTIVE_TRIAL, LIVE_TRIAL, TrialStatus
from sweeps.services.bulk import MOST_AT_ONCE, RERUNNABLE


@dataclass(frozen=True, slots=True)
class Offer:
    """One button for one scope: what it says and asks; `count` 0 is none, and `why` says so."""

    count: int
    label: str
    question: str
    why: str


@dataclass(frozen=True, slots=True)
class Offers:
    """One button: what it offers for the ticked trials, and for all that match."""

    verb: str
    picked: Offer
    matching: Offer

    @property
    def is_idle(self) -> bool:
        """True if it applies to no trial in either scope."""
        return not (self.picked.count or self.matching.count)


def rerun_offers(board: Board, picked: Mask, matching: Mask) -> Offers:
    """To run again those that ended without completing."""
    return Offers("rerun", _rerun(board, picked), _rerun(board, matching))


def cancel_offers(board: Board, picked: Mask, matching: Mask) -> Offers:
    """To cancel those that run or wait."""
    return Offers("cancel", _cancel(board, picked), _cancel(board, matching))


def _rerun(board: Board, among: Mask) -> Offer:
    count = int((board.having(RERUNNABLE) & among).sum())
    why = "Each of these has completed, or is not over yet."
    if not count:
        return Offer(0, "None to re-run", "", why)
    return Offer(count, f"Re-run {count:,}", f"Run {_first(count)} again?", "")


def _cancel(board: Board, among: Mask) -> Offer:
    running = int((board.having(ACTIVE_TRIAL) & among).sum())
    count = int((board.having(LIVE_TRIAL) & among).sum())
    if not count:
        return Offer(0, "None to cancel", "", "None of these runs or waits.")
    waiting = TrialStatus.QUEUED.value.lower()
    what = "running" if running == count else f"running or {waiting}" if running else waiting
    return Offer(count, f"Cancel {count:,} {what}", f"Cancel {_first(count)}?", "")


def _first(count: int) -> str:
    """ "1 trial", "12 trials"; of more than one request takes, how many it takes."""
    if count > MOST_AT_ONCE:
        return f"the first {MOST_AT_ONCE:,} of {count:,} trials"
    return "1 trial" if count == 1 else f"{count:,} trials"
