"""Every recorded reply of a venue against the engine, number by number."""

import json
import math
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from levcore.reconciliation.reconcile import reconcile
from levcore.reconciliation.result import Verdict
from levcore.venues.json import read_json
from levcore.venues.printed_number import printed_number
from support.replies import FOLDER, options_of, read_index, reconciled, said

INDEX = read_index()
FILES = [entry["file"] for entry in INDEX]
BY_FILE = {entry["file"]: entry for entry in INDEX}

BY_VENUE = {
    "binance": {"same": 21, "rounded": 7, "input": 9, "not derivable": 2},
    "bybit": {"same": 33, "rounded": 5, "differs": 12, "input": 7, "not derivable": 13},
    "okx": {"same": 1, "differs": 10, "input": 3, "not derivable": 2},
    "hyperliquid": {"same": 73, "rounded": 43, "differs": 11, "input": 31, "not derivable": 5},
    "ccxt": {"same": 15, "rounded": 4, "differs": 8, "input": 1, "not derivable": 11},
}
"""Numbers by source and verdict. The mark of OKX's futures is not the one of their numbers."""


@pytest.mark.parametrize("file", FILES)
def test_every_number_has_the_expected_verdict_and_cause(file: str) -> None:
    found = {f"{number.place} {number.field}": said(number) for number in reconciled(file).numbers}
    assert found == BY_FILE[file]["expected"]


@pytest.mark.parametrize("file", FILES)
def test_no_difference_is_left_without_a_reason(file: str) -> None:
    assert reconciled(file).unexplained == ()


@pytest.mark.parametrize("source", BY_VENUE)
def test_numbers_that_agree_by_venue(source: str) -> None:
    counts: Counter[str] = Counter()
    for entry in INDEX:
        if entry["from"] == source:
            counts.update(number.verdict.value for number in reconciled(entry["file"]).numbers)
    assert dict(counts) == BY_VENUE[source]


@pytest.mark.parametrize("file", FILES)
def test_a_number_that_the_venue_did_not_print_is_noticed(file: str) -> None:
    """Each number that agrees is changed by three units of its last digit, and agrees no more."""
    entry = BY_FILE[file]
    options = options_of(entry)
    data = read_json(FOLDER / file)
    for number in reconciled(file).numbers:
        if number.verdict is not Verdict.SAME or number.theirs is None or not Decimal(number.theirs):
            continue
        printed = printed_number(number.theirs)
        # Some replies print more digits than a float64 has.
        step = max(3 * printed.unit, Decimal(100 * math.ulp(float(printed.value))))
        if entry["from"] == "ccxt":
            # ccxt makes margins out of rounded values.
            step = max(step, abs(printed.value) / 1000)
        changed = f"{Decimal(number.theirs) + step:f}"
        other = reconcile(replaced(data, number.place, number.field, changed), entry["from"], **options)
        verdicts = {(each.place, each.field): each.verdict for each in other.numbers}
        assert verdicts[number.place, number.field] is not Verdict.SAME, (number.place, number.field, changed)


def replaced(data: Any, place: str, field: str, text: str) -> Any:
    """Copy of parsed JSON with one number replaced."""
    copy = json.loads(json.dumps(data))
    target = copy
    if place.startswith("account "):
        target = copy["crossMarginSummary"] if field in copy["crossMarginSummary"] else copy
    else:
        for step in place.replace("[", ".[").strip(".").split("."):
            target = target[int(step.strip("[]"))] if step.startswith("[") else target[step]
    assert field in target
    target[field] = text
    return copy


def test_replies_carry_source_and_say_which_cases_they_are() -> None:
    cases = [case for entry in INDEX for case in entry["cases"]]
    assert len(set(cases)) == len(cases)
    assert all(entry["source"] for entry in INDEX)
    assert all(entry["cases"] or entry["from"] == "ccxt" for entry in INDEX)
    left_out = json.loads((FOLDER / "not_replies.json").read_text(encoding="utf-8"))
    assert not set(left_out) & set(cases)
    assert all(left_out.values())


def test_inputs_that_replies_lack_are_recovered() -> None:
    found = {
        (each.name, each.instrument, str(each.value))
        for file in FILES
        if file.startswith(("binance", "bybit"))
        for each in reconciled(file).recovered
    }
    assert found == {
        ("entry_price", "BTCUSDT", "6563.86"),
        ("entry_price", "WLDUSDT", "2.36"),
        ("mark_price", "WLDUSDT", "2.3468325"),
        ("mark_price", "ETHUSDT", "1199.28"),
        ("contract_size", "BTCUSD_PERP", "100"),
        ("contract_size", "ETHUSD_PERP", "10"),
        ("leverage", "ADAUSDT", "20"),
        ("leverage", "WLDUSDT", "20"),
        ("closing_fee_rate", "", "0.0006"),
        ("closing_fee_rate", "", "0.000649"),
        ("closing_fee_rate", "", "0.001"),
        ("wallet_balance", "", "2.53267053"),
        ("wallet_balance", "", "1325.50671148"),
        ("wallet_balance", "", "55.83979631623"),
    }


def test_an_okx_reply_with_the_mark_that_made_it_agrees_to_all_digits() -> None:
    """The wallet follows from the margin ratio, and is a balance of 8 decimals; the rest then agrees."""
    file = "okx/swap_cross_2021-07-25.json"
    entry = BY_FILE[file]
    data = replaced(read_json(FOLDER / file), "data[0]", "markPx", "34132.186083589573")
    result = reconcile(data, "okx", **options_of(entry))
    assert [str(each.value) for each in result.recovered] == ["215.78881232"]
    verdicts = {number.field: number.verdict.value for number in result.numbers}
    assert verdicts == {
        "imr": "same",
        "mmr": "same",
        "upl": "same",
        "uplRatio": "same",
        "mgnRatio": "input",
        "liqPx": "same",
        "notionalUsd": "not derivable",
    }


def test_marks_of_a_reply_that_prints_values_alone() -> None:
    """Hyperliquid prints no mark; each recovered one is a price of few digits."""
    marks = {
        each.instrument: str(each.value)
        for each in reconciled("hyperliquid/account_2026-01-14.json").recovered
        if each.name == "mark_price"
    }
    assert len(marks) == 16
    assert (marks["BTC"], marks["HYPE"], marks["MON"]) == ("95209", "26.017", "0.024197")
