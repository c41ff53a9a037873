"""Policies: every file is whole and says where it comes from, and each reproduces the numbers it claims."""

import pickle
import re
from collections.abc import Mapping
from typing import Any

import pytest

import levcore as lc
from levcore.errors import PolicyError, UnknownPolicyError, UnknownRuleError
from levcore.rules.policy_files import FOLDER, policies_of_text
from levcore.rules.table_fit import check_tables
from levcore.rules.terms import UNKNOWN, Texts

IDS = [info.id for info in lc.policies()]


def test_policies_are_listed_by_name_and_date() -> None:
    order = [(info.name, info.as_of) for info in lc.policies()]
    assert sorted(order) == order
    assert {info.name for info in lc.policies()} == {path.stem for path in FOLDER.glob("*.toml")}
    dates = [info.as_of for info in lc.policies() if info.name == "binance-usdm"]
    assert dates == [
        "2022-02-05",
        "2022-04-16",
        "2022-05-21",
        "2022-09-27",
        "2022-11-25",
        "2023-12-12",
        "2024-10-24",
        "2026-09-29",
    ]


@pytest.mark.parametrize("name", IDS)
def test_every_policy_says_where_it_comes_from(name: str) -> None:
    policy = lc.policy(name)
    assert policy.id == str(policy) == name
    assert policy.title
    if not policy.venue:
        return
    assert policy.verified_by
    assert policy.sources
    assert all(source.evidence in ("V", "R", "3P") and source.title for source in policy.sources)


@pytest.mark.parametrize("name", IDS)
def test_bundled_instruments_fit_their_policy(name: str) -> None:
    policy = lc.policy(name)
    if name.startswith("binance-usdm@"):
        assert policy.instruments.as_of == policy.as_of
    for instrument in policy.instruments.values():
        check_tables(policy, instrument)
        if policy.maintenance_rate_rule == "half-of-initial-at-max-leverage":
            leverages = instrument.tiers.max_leverage
            assert instrument.tiers.rates == tuple(1 / (2 * each) for each in leverages)


def test_names_dates_and_shortened_dates() -> None:
    assert lc.policy("binance-usdm") is lc.policy("binance-usdm@2026-09-29")
    assert lc.policy("bybit-linear@2026").as_of == "2026-05-27"
    assert lc.policy("hyperliquid@2023").requirement_basis_cross == "mark"
    assert lc.policy("generic").as_of == ""
    for wrong in (
        "binance",
        "binance-usdm@",
        "binance-usdm@2022",
        "binance-usdm@2025-01-01",
        "generic@2024",
        "../x",
    ):
        with pytest.raises(UnknownPolicyError) as caught:
            lc.policy(wrong)
        assert isinstance(caught.value, LookupError)
        assert caught.value.expected


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("bybit", "one of bybit-inverse, bybit-linear, bybit-unified"),
        ("OKX", "one of okx-inverse-swap, okx-isolated-margin, okx-linear-swap, okx-multi-currency"),
        ("Binance_USDM", "one of binance-usdm, binance-usdm-multi-assets"),
        ("bybit linear", "one of bybit-linear"),
        ("hyperliqiud", "one of hyperliquid"),
        ("MEXC-LINEAR@2021", "one of mexc-linear"),
        ("zzz", "one of 45 policies (levcore policies lists them)"),
        ("", "one of 45 policies (levcore policies lists them)"),
    ],
)
def test_an_unknown_name_is_answered_with_those_that_are_near(name: str, answer: str) -> None:
    with pytest.raises(UnknownPolicyError) as caught:
        lc.policy(name)
    assert caught.value.expected == answer


def test_unknown_rules_refuse_until_the_caller_states_them() -> None:
    policy = lc.policy("mexc-linear")
    with pytest.raises(UnknownRuleError, match="no cross liquidation price") as caught:
        policy.known("requirement_basis_cross")
    assert "policy.replace(requirement_basis_cross=...)" in str(caught.value)
    with pytest.raises(UnknownRuleError, match="not stated"):
        policy.known("warning_level")
    mine = policy.replace(requirement_basis_cross="entry", warning_level=0.5)
    assert mine.known("requirement_basis_cross") == "entry"
    assert mine.known("warning_level") == 0.5
    assert mine.rests_on["requirement_basis_cross"].startswith("[caller]")
    assert "requirement_basis_cross" not in mine.unknown
    assert policy.requirement_basis_cross == UNKNOWN


def test_replace_checks_what_it_is_given() -> None:
    policy = lc.policy("generic")
    wrong: list[dict[str, Any]] = [
        {"requirement_basis": "price"},
        {"requirement_basis_cross": "index"},
        {"closing_fee_rate": 0.001},  # without a basis for it
        {"closing_fee_basis": "price", "closing_fee_rate": 1.5},
        {"closing_fee_basis": "price", "closing_fee_rate": "0.001"},
        {"closing_fee_in_initial_margin": 1},
        {"liquidation_level": 0.0},
        {"warning_level": 0.9, "margin_call_level": 0.8},
        {"warning_level": float("nan")},
        {"table_units": ("usd",)},
    ]
    for rules in wrong:
        with pytest.raises(PolicyError):
            policy.replace(**rules)
    assert policy.replace(closing_fee_basis="price", closing_fee_rate=0.001).closing_fee_rate == 0.001


def test_policies_compare_hash_and_pickle() -> None:
    policy = lc.policy("binance-usdm")
    again = pickle.loads(pickle.dumps(policy))
    assert again == policy
    assert hash(again) == hash(policy)
    mine = policy.with_instruments([lc.Instrument("BTCUSDT", "linear", lc.TierTable.single_rate(0.01))])
    assert mine != policy
    assert mine.instruments["BTCUSDT"].tiers.is_single_rate
    assert policy.replace(liquidation_level=1.1) != policy


def test_texts_are_found_under_the_beginning_that_rules_share() -> None:
    texts = Texts({"closing_fee": "all", "closing_fee_rate": "rate"})
    assert texts.about("closing_fee_rate") == "rate"
    assert texts.about("closing_fee_in_initial_margin") == "all"
    assert texts.about("liquidation_level") == ""
    assert hash(texts) == hash(Texts(dict(texts)))


def test_a_versions_rule_displaces_the_shared_evidence() -> None:
    older = lc.policy("hyperliquid@2023")
    assert older.rests_on.about("requirement_basis_cross").startswith("[V] five prices")
    assert "requirement_basis_isolated" not in older.rests_on


FILE_FAULTS: dict[str, tuple[str | tuple[str, str], str]] = {
    "no TOML": ("name = ", "must be TOML"),
    "another name": (('name = "okx-linear-swap"', 'name = "okx"'), "must carry its policy's name"),
    "an unknown key": (("title =", "titel ="), "unknown key"),
    "an unknown rule": (('closing_fee_basis = "price"', 'closing_fees = "price"'), "unknown key"),
    "a rule left out": (('table_shape = "flat"\n', ""), "missing or wrong"),
    "a value that is none": (('table_shape = "flat"', 'table_shape = "steps"'), "must be a known value"),
    "no evidence": (('closing_fee_in = "[V]', 'closing_fee_in = "'), "rests_on must give the evidence"),
    "no reason": (('debtor = "a residual', 'debt = "a residual'), "unknown must say why debtor is"),
    "no sources": (('dated = "2025-05-16"', ""), "missing or wrong"),
    "no verification": (('verified_by = "BTC', 'verified_by = "" # '), "verified_by must be given"),
}


@pytest.mark.parametrize("fault", FILE_FAULTS)
def test_files_with_a_fault_do_not_load(fault: str) -> None:
    change, rule = FILE_FAULTS[fault]
    text = (FOLDER / "okx-linear-swap.toml").read_text(encoding="utf-8")
    assert policies_of_text(text, "okx-linear-swap")
    changed = change if isinstance(change, str) else text.replace(*change)
    assert changed != text
    with pytest.raises(PolicyError, match=rule):
        policies_of_text(changed, "okx-linear-swap")


def test_a_policy_without_a_source_does_not_load() -> None:
    text = (FOLDER / "okx-linear-swap.toml").read_text(encoding="utf-8")
    without = re.sub(r"^\[\[(versions\.)?sources\]\]\n(.+\n)*", "", text, flags=re.MULTILINE)
    assert "sources" not in without
    with pytest.raises(PolicyError, match="sources must be given"):
        policies_of_text(without, "okx-linear-swap")


def risk_of(
    policy: lc.MarginPolicy, tiers: lc.TierTable | None, payoff: Any, size: float, mark: float, **row: Any
) -> lc.BookRisk:
    """Evaluate one position, cross where it has a wallet."""
    if tiers is not None:
        policy = policy.with_instruments([lc.Instrument("X", payoff, tiers, size)])
    name = "X" if tiers is not None else "BTCUSDT"
    columns: dict[str, Any] = {key: [value] for key, value in row.items() if key != "wallet"}
    if "wallet" in row:
        columns |= {"margin_mode": "cross", "account": ["a"], "wallet_balance": {"a": row["wallet"]}}
    return lc.reference.evaluate(lc.PositionBook(instrument=[name], **columns), policy, {name: mark})


HALF_PERCENT = lc.TierTable.single_rate("0.005")

# Numbers that the policies claim in `verified_by`: policy, rules the caller states, tiers, payoff, contract
# size, mark, the position, and what was published, each with the tolerance of its printed digits.
PUBLISHED: dict[str, tuple[Any, ...]] = {
    "binance-usdm FAQ, isolated": (
        "binance-usdm@2022-02-05",
        {},
        None,
        "linear",
        1,
        31967.27,
        {"quantity": 109.488, "entry_price": 32481.98, "isolated_margin": 1535443.01},
        {"liquidation_price": (18778.73, 0.005)},
    ),
    "binance-usdm API, short of a hedge": (
        "binance-usdm@2022-02-05",
        {},
        None,
        "linear",
        1,
        6679.50671178,
        {"quantity": -10, "entry_price": 6563.86, "isolated_margin": 5413.95799991 + 1156.46711780},
        {"liquidation_price": (7189.95, 0.005)},
    ),
    "binance-coinm API": (
        "binance-coinm",
        {},
        lc.TierTable.single_rate("0.004", unit="base"),
        "inverse",
        100,
        38103.05510455,
        {"quantity": 2, "entry_price": 37643.10000021, "isolated_margin": 0.00268058},
        {"liquidation_price": (25119.97445760, 1e-7), "notional": (0.00524892, 1e-8)},
    ),
    "bybit-linear isolated 2022": (
        "bybit-linear@2025",
        {"closing_fee_rate": 0.0006},
        HALF_PERCENT,
        "linear",
        1,
        1200.0,
        {"quantity": 0.1, "entry_price": 1198.45, "isolated_margin": 28.58931118, "leverage": 4.2},
        # The venue rounds the prices 919.10 and 913.15 up to its tick of 0.05.
        {
            "liquidation_price": (919.075, 0.025),
            "bankruptcy_price": (913.125, 0.025),
            "initial_margin": (28.589311, 1e-5),
        },
    ),
    "bybit-linear cross short 2023": (
        "bybit-linear@2025",
        {"closing_fee_rate": 0.0006},
        HALF_PERCENT,
        "linear",
        1,
        16959.21,
        {"quantity": -0.1, "entry_price": 16505, "leverage": 2, "wallet": 5000},
        {"initial_margin": (826.73545, 1e-8), "maintenance_margin": (9.73795, 1e-8)},
    ),
    "bybit-linear cross 2025-10-02": (
        "bybit-linear@2025",
        {"closing_fee_rate": 0.000649},
        HALF_PERCENT,
        "linear",
        1,
        233.029,
        {"quantity": 0.2, "entry_price": 233.02, "leverage": 10, "wallet": 11.48511863},
        {
            "initial_margin": (4.6876214, 1e-8),
            "maintenance_margin": (0.2602414, 1e-8),
            "liquidation_price": (176.8965, 1e-3),
        },
    ),
    "bybit-linear cross 2026": (
        "bybit-linear@2026",
        {"closing_fee_rate": 0.001},
        lc.TierTable.single_rate("0.004"),
        "linear",
        1,
        66472.02,
        {"quantity": 0.001, "entry_price": 66473.5, "leverage": 10, "wallet": 56},
        {"initial_margin": (6.70702815, 1e-10), "maintenance_margin": (0.32571423, 1e-10)},
    ),
    "bybit-inverse isolated 2023, margin added": (
        "bybit-inverse@2024",
        {"closing_fee_rate": 0.0006},
        HALF_PERCENT,
        "inverse",
        1,
        1812.9,
        {"quantity": 200, "entry_price": 1812.70004844, "isolated_margin": 0.01926611, "leverage": 12},
        {"liquidation_price": (1550.775, 0.025), "bankruptcy_price": (1544.175, 0.025)},
    ),
    "okx-linear-swap cross": (
        "okx-linear-swap",
        {"closing_fee_rate": 0.0005},
        lc.TierTable.flat([(0, "0.004")], unit="contracts"),
        "linear",
        0.01,
        34132.186083589573,
        {"quantity": 1, "entry_price": 34131.1, "leverage": 2, "wallet": 215.78881232},
        {
            "liquidation_price": (12608.959083877446, 1e-10),
            "initial_margin": (170.66093041794787, 1e-12),
            "maintenance_margin": (1.3652874433435829, 1e-14),
            "margin_ratio": (1 / 140.49930117599155, 1e-15),
        },
    ),
    "okx-inverse-swap isolated, less its tick": (
        "okx-inverse-swap",
        {"closing_fee_rate": 0.0005},
        lc.TierTable.flat([(0, "0.008")], unit="contracts"),
        "inverse",
        10,
        2565.656,
        {"quantity": 1, "entry_price": 2566.31, "isolated_margin": 0.0003896645377994, "leverage": 10},
        {"liquidation_price": (2352.8496681818 - 0.01, 1e-9), "margin_ratio": (1 / 11.731726509588816, 1e-8)},
    ),
    "mexc-linear isolated": (
        "mexc-linear",
        {"closing_fee_rate": 0.0006, "bankruptcy_includes_closing_fee": False},
        HALF_PERCENT,
        "linear",
        0.01,
        1217.0,
        {"quantity": 1, "entry_price": 1217.3, "isolated_margin": 0.1290338, "leverage": 100},
        {"liquidation_price": (1211.2, 0.05), "initial_margin": (0.1290338, 1e-12)},
    ),
    "hyperliquid isolated 2026-01-14": (
        "hyperliquid",
        {},
        lc.TierTable.half_of_initial_rate([(0, 5)]),
        "linear",
        1,
        26961.773417 / 1114261,
        {
            "quantity": -1114261,
            "entry_price": 0.024464,
            "leverage": 3,
            # marginUsed holds the unrealized PnL; the printed entry price is rounded.
            "isolated_margin": 9397.472442 - (1114261 * 0.024464 - 26961.773417),
        },
        {"liquidation_price": (0.0296643783, 1e-9)},
    ),
    "hyperliquid cross 2023, the requirement of the account frozen": (
        "hyperliquid@2023",
        {},
        lc.TierTable.single_rate("0.01"),
        "linear",
        1,
        100.0,
        {"quantity": -2, "entry_price": 100.0, "wallet": 50.0},
        {"liquidation_price": (100 + (50 - 2) / 2, 1e-12)},
    ),
}


@pytest.mark.parametrize("case", PUBLISHED)
def test_published_numbers_are_reproduced(case: str) -> None:
    name, stated, tiers, payoff, size, mark, row, published = PUBLISHED[case]
    expected: Mapping[str, tuple[float, float]] = published
    risk = risk_of(lc.policy(name).replace(**stated), tiers, payoff, size, mark, **row)
    for measure, (number, tolerance) in expected.items():
        assert getattr(risk, measure)[0] == pytest.approx(number, rel=0, abs=tolerance), measure


@pytest.mark.parametrize("side", [1, -1])
def test_bybit_formula_of_2026_05_27_follows_from_the_rules(side: int) -> None:
    # The text's own formula for inverse contracts: added margin counts without the fee that closing it costs.
    size, entry, leverage, added, rate, fee = 60_000.0, 50_000.0, 10.0, 0.05, 0.005, 0.0006
    value = size / entry
    published = size * (1 + side * rate) / (value + side * value / leverage + side * added / (1 + side * fee))
    balance = value / leverage + fee * value * (1 + side / leverage) + added
    policy = lc.policy("bybit-inverse@2026").replace(closing_fee_rate=fee)
    risk = risk_of(
        policy,
        HALF_PERCENT,
        "inverse",
        1,
        entry,
        quantity=side * size,
        entry_price=entry,
        isolated_margin=balance,
        leverage=leverage,
    )
    assert risk.liquidation_price[0] == pytest.approx(published, rel=1e-14)


@pytest.mark.parametrize(
    "rules",
    [
        {"liquidation_level": "x"},
        {"liquidation_level": None},
        {"liquidation_level": True},
        {"warning_level": True},
        {"closing_fee_basis": "price", "closing_fee_rate": None},
        {"instruments": None},
    ],
)
def test_values_of_the_wrong_kind_are_refused_by_name(rules: dict[str, object]) -> None:
    with pytest.raises(lc.PolicyError, match=next(reversed(rules))):
        lc.policy("generic").replace(**rules)


@pytest.mark.parametrize("name", [None, 5])
def test_a_policy_is_asked_for_by_name(name: Any) -> None:
    with pytest.raises(lc.PolicyError, match="must be a name"):
        lc.policy(name)


def test_who_owes_may_be_told_of_isolated_positions_apart() -> None:
    both = lc.policy("generic").replace(trader_owes="yes")
    assert (both.owes("isolated"), both.owes("cross")) == ("yes", "yes")
    apart = both.replace(trader_owes_isolated="no")
    assert (apart.owes("isolated"), apart.owes("cross")) == ("no", "yes")
    with pytest.raises(PolicyError, match="trader_owes_isolated"):
        both.replace(trader_owes_isolated="perhaps")
