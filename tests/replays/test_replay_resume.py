"""Replays that go on from where they were stopped, and what they do not go on from."""

from typing import Any

import pytest

import levcore as lc
from support.closing_books import closing_policy
from support.small_replays import RULES, bars, book, run

OTHERS: dict[str, Any] = {
    "path": {"path": "close"},
    "policy": {"rules": {"trader_owes": "no"}},
    "book": {"changed": {"quantity": [1.0, 2.5, -1.0]}},
    "prices": {"prices": bars(close=[100.0, 99.0, 95.0, 91.0, 90.0, 91.5])},
    "quantum": {"quantum": 0.01},
    "a fund": {"fund": 3.0},
}


@pytest.mark.parametrize("what", OTHERS)
def test_a_replay_of_other_arguments_is_not_gone_on_from(what: str) -> None:
    stopped = run(stop_after=3)
    other = dict(OTHERS[what])
    engine = lc.Engine(closing_policy(**(RULES | other.pop("rules", {}))))
    held, table = book(**other.pop("changed", {})), other.pop("prices", bars())
    with pytest.raises(lc.LevcoreError, match=f"resume: must be of the same arguments; expected {what}"):
        lc.replay(engine, held, table, resume=stopped, **other)


def test_both_paths_go_on_from_where_both_were_stopped() -> None:
    stopped = run(path="both", stop_after=9)
    assert (stopped.steps, stopped.other.steps) == (9, 9)
    whole, gone_on = run(path="both"), run(path="both", resume=stopped)
    assert gone_on.hash() == whole.hash()
    assert gone_on.other.hash() == whole.other.hash()
