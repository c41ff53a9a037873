"""The archive of venue data: every file against its source's count and exact rules, and its gaps."""

import hashlib
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

import levcore as lc
from levcore.errors import FileFormatError, InputError, TierError, UnknownInstrumentError
from levcore.rules import bundles
from levcore.rules.archive import archive_of, dates_of, series_names, series_of
from levcore.rules.bundles import FOLDER, bundle_names, parse_bundle, read_bundle
from levcore.rules.instruments import InstrumentTable

# Instruments and tiers of each file, as its source counts them; 0: facts of contracts without tiers.
COUNTS = {
    "binance-coinm-2021-07-21": (36, 0),
    "binance-coinm-2025-08-07": (24, 0),
    "binance-usdm-2022-02-05": (162, 1_077),
    "binance-usdm-2022-04-16": (162, 1_077),
    "binance-usdm-2022-05-21": (158, 1_037),
    "binance-usdm-2022-09-27": (193, 1_203),
    "binance-usdm-2022-11-25": (195, 1_204),
    "binance-usdm-2023-12-12": (291, 2_025),
    "binance-usdm-2024-10-24": (349, 2_805),
    "binance-usdm-2026-09-29": (907, 7_276),
    "bitget-inverse-2025-09-18": (25, 0),
    "bitget-linear-2025-09-18": (620, 0),
    "bitget-linear-2026-09-25": (2, 26),
    "bitmex-2021-07-22": (34, 34),
    "bitmex-2022-11-22": (61, 61),  # without the two settled in gwei
    "bitmex-2024-11-24": (1, 1),
    "bybit-inverse-2023-08-16": (1, 10),
    "bybit-inverse-2025-09-18": (24, 0),
    "bybit-linear-2023-08-16": (2, 45),
    "bybit-linear-2024-12-25": (300, 8_410),
    "bybit-linear-2025-09-18": (625, 0),
    "bybit-linear-2025-12-29": (2, 49),
    "bybit-linear-2026-09-25": (1, 3),
    "deribit-2022-05-29": (37, 0),
    "dydx-v4-2023-10-26": (33, 33),
    "dydx-v4-2025-12-08": (3, 3),
    "gate-usdt-2023-05-24": (301, 301),
    "gate-usdt-2026-05-27": (1, 1),
    "hyperliquid-2025-08-22": (171, 210),
    "hyperliquid-2025-12-13": (186, 226),
    "hyperliquid-2026-02-06": (190, 230),
    "hyperliquid-2026-08-07": (4, 8),
    "hyperliquid-2026-09-27": (178, 212),
    "hyperliquid-hip3-para-2026-09-27": (29, 29),
    "hyperliquid-hip3-xyz-2026-09-27": (109, 109),
    "kraken-futures-inverse-2021-07-22": (17, 95),
    "kraken-futures-inverse-2026-04-17": (1, 2),
    "kraken-futures-inverse-2026-09-25": (2, 3),
    "kraken-futures-linear-2026-04-17": (3, 6),
    "kraken-futures-linear-2026-09-25": (3, 7),
    "kucoin-inverse-2026-09-25": (1, 0),
    "kucoin-linear-2026-09-25": (1, 2),
    "lighter-perps-2026-10-25": (214, 214),
    "lighter-robinhood-2026-10-25": (63, 63),
    "mexc-inverse-2025-08-03": (10, 10),
    "mexc-linear-2025-08-03": (775, 790),
    "okx-inverse-swap-2025-09-18": (15, 0),
    "okx-linear-swap-2021-06-11": (4, 12),
    "okx-linear-swap-2022-06-09": (5, 20),
    "okx-linear-swap-2023-05-19": (2, 6),
    "okx-linear-swap-2025-09-18": (240, 0),
    "okx-linear-swap-2026-05-12": (4, 141),
    "paradex-perps-2026-04-22": (1, 1),
}


def printed_tiers(name: str) -> dict[str, list[dict[str, Fraction]]]:
    """Tiers of every instrument of a file as exact numbers, without those that a rule continues."""
    bundle = read_bundle(name)
    columns = bundle.header["tier"].split()
    found = {}
    for each in bundle.entries:
        number = bundle.cell(each, "table")
        if number != "-":
            text = bundle.tables[int(number) - 1].partition(" | ")[0]
            rows = [map(Fraction, tier.split()) for tier in text.split("; ")]
            found[each] = [dict(zip(columns, row, strict=True)) for row in rows]
    return found


def test_every_file_is_counted_small_and_summed() -> None:
    assert set(bundle_names()) == set(COUNTS)
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 450_000
    sums = {f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in FOLDER.glob("*.txt")}
    assert set((FOLDER / "SHA256SUMS").read_text(encoding="utf-8").splitlines()) == sums


@pytest.mark.parametrize("name", COUNTS)
def test_every_file_is_as_its_source_counts_it(name: str) -> None:
    bundle, tiers = read_bundle(name), printed_tiers(name)
    assert (len(bundle.entries), sum(map(len, tiers.values()))) == COUNTS[name]
    assert bundle.as_of == name[-10:]
    assert bundle.source
    assert bundle.header["covers"] in ("all", "part")
    for each in bundle.entries:
        facts = bundle.facts(each)
        assert facts.payoff in ("linear", "inverse", "quanto")
        assert facts.settlement
        assert facts.contract_size is None or facts.contract_size > 0


@pytest.mark.parametrize("name", COUNTS)
def test_every_table_is_contiguous_rises_and_its_deductions_continue(name: str) -> None:
    bundle = read_bundle(name)
    rising = bundle.header["shape"] != "unknown"  # Kraken's BCH contracts of 2021 print one rate twice
    for each, tiers in printed_tiers(name).items():
        expected = Fraction(0)
        assert tiers[0]["floor"] == 0
        for below, tier in pairwise(tiers):
            assert tier["floor"] > below["floor"]
            if "rate" in tier:
                assert tier["rate"] > below["rate"] or (not rising and tier["rate"] == below["rate"]), each
                expected += tier["floor"] * (tier["rate"] - below["rate"])
                assert tier.get("deduction", expected) == expected, each
            for column in ("initial_rate", "max_leverage"):
                order = tier.get(column, 0) - below.get(column, 0)
                assert order >= 0 if column == "initial_rate" else order <= 0, each
        for tier in tiers:
            if "rate" in tier and "max_leverage" in tier:
                assert tier["rate"] * tier["max_leverage"] < 1, each
            if "initial_rate" in tier:
                assert tier["rate"] < tier["initial_rate"], each


@pytest.mark.parametrize("name", COUNTS)
def test_every_instrument_is_built_or_said_to_lack_something(name: str) -> None:
    bundle = read_bundle(name)
    for each in bundle.entries:
        instrument = bundle.instrument(each)
        if instrument is None:
            assert "-" in (bundle.cell(each, "table"), bundle.cell(each, "contract_size"))
            continue
        assert instrument.name == each
        assert instrument.tiers.floors[0] == 0
        assert (bundle.header["shape"] == "unknown") <= (len(instrument.tiers) == 1)
        assert bundle.limit(each) == "" or instrument.tiers.cap < float("inf")


def test_a_file_that_was_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "paradex-perps-2026-04-22"
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    (tmp_path / f"{name}.txt").write_text(text.replace("0.01", "0.02"), encoding="utf-8")
    monkeypatch.setattr(bundles, "FOLDER", tmp_path)
    with pytest.raises(FileFormatError, match=r"must be the file that tools/pack_tiers.py wrote"):
        read_bundle.__wrapped__(name)


HEAD = "as_of = 2030-01-01\nsource = s\ncovers = all\nunit = quote\nshape = marginal\npayoff = linear\n"
HEAD += "contract_size = 1\ntier = floor rate deduction\ninstrument = name settlement table\n[tables]\n"


@pytest.mark.parametrize(
    ("table", "rule"),
    [
        ("0 0.01 0; 100 0.02 2 | 500", "must continue the tier below"),
        ("0 0.02 0; 100 0.01 -1 | 500", "must rise"),
        ("5 0.01 0 | 500", "must be 0 in the first tier"),
        ("0 0.01 0; 100 0.02 1 | 50", "must lie above the last floor"),
        ("0 1.01 0 | 500", "must be a fraction of value"),
        ("0 0.01 0; 0 0.02 0 | 500", "must rise and be finite"),
    ],
)
def test_tables_are_checked_at_load(table: str, rule: str) -> None:
    bundle = parse_bundle("x-2030-01-01", f"{HEAD}{table}\n[instruments]\nA USDT 1\n")
    with pytest.raises(TierError, match=rule):
        bundle.instrument("A")


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        ("A USDT 1\nA USDT 1\n", FileFormatError),
        ("A USDT\n", FileFormatError),
        ("A USDT 1 1\n", FileFormatError),
        ("A USDT 2\n", TierError),
        ("A USDT 0\n", TierError),
    ],
)
def test_instruments_are_checked_at_load(lines: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_bundle("x-2030-01-01", f"{HEAD}0 0.01 0 | -\n[instruments]\n{lines}")


def test_series_dates_and_which_file_answers() -> None:
    assert series_of("bybit-linear-2024-12-25") == "bybit-linear"
    assert list(dates_of("gate-usdt")) == ["2023-05-24", "2026-05-27"]
    assert {"mexc-linear", "lighter-perps"} <= set(series_names())
    bybit = lc.policy("bybit-linear").instruments
    # The newest date with tiers of the contract; two hold a part of what was listed, and one no tiers.
    dates = {name: bybit.date_of(name) for name in ("BTCUSDT", "BTCPERP", "ETHUSDT")}
    assert dates == {"BTCUSDT": "2026-09-25", "BTCPERP": "2025-12-29", "ETHUSDT": "2024-12-25"}
    assert bybit.source_of("ETHUSDT") == read_bundle("bybit-linear-2024-12-25").source
    # A whole listing ends its series: what it lacks had been delisted.
    assert "LUNAUSDT" not in InstrumentTable.bundled("binance-usdm")
    assert archive_of("hyperliquid").bundles == (read_bundle("hyperliquid-2026-09-27"),)
    since = {bundle.as_of for bundle in archive_of("bybit-linear>=2025-12-29").bundles}
    assert since == {"2025-12-29", "2026-09-25"}
    for wrong in ("nothing", "bybit-linear>=2030", "bybit-linear-2024-12-26"):
        with pytest.raises(InputError, match="must name the archive"):
            archive_of(wrong)


def test_tables_of_another_date_are_chosen_by_it() -> None:
    now = lc.policy("hyperliquid")
    then = now.with_tables("2025-08-22")
    assert then.instruments.date_of("BTC") == "2025-08-22"
    assert then.instruments.series == ("hyperliquid",)
    changed = [
        coin
        for coin in then.instruments
        if coin in now.instruments and then.instruments[coin].tiers != now.instruments[coin].tiers
    ]
    assert len(changed) == 36  # as the source counts them
    with pytest.raises(InputError, match="2025-12-13") as caught:
        now.with_tables("2025-08-23")
    assert caught.value.argument == "tables"


def test_a_cut_table_answers_below_its_end_and_refuses_above() -> None:
    policy = lc.policy("bybit-linear").with_fees()
    assert (
        policy.instruments.limit("BTCUSDT") == "nothing is known above 2,600,000 (quote): the source is cut"
    )
    assert policy.instruments.limit("ETHUSDT") == ""
    columns = {"isolated_margin": [6e5, 6e5], "leverage": [10.0, 10.0]}
    book = lc.PositionBook(["BTCUSDT", "BTCUSDT"], [25.9, 26.1], [1e5, 1e5], **columns)  # type: ignore[arg-type]
    risk = lc.Engine(policy).evaluate(book, {"BTCUSDT": 1e5})
    assert risk.status.tolist() == [lc.Status.OK, lc.Status.TIER_OVERFLOW]


def test_okx_continues_by_its_published_step() -> None:
    table = lc.policy("okx-linear-swap").instruments["BTC-USDT-SWAP"]
    tiers = table.tiers
    # 43 tiers were read, to 820,000 contracts at 20.75 %; each further one is 20,000 wide
    # and 0.5 % higher.
    assert len(tiers) == 43 + 56
    assert (tiers.floors[43], tiers.rates[43], tiers.max_leverage[43]) == (820_000.0, 0.2125, 4.44)
    steps = {
        round(above - below, 9) for below, above in zip(tiers.rates[42:], tiers.rates[43:], strict=False)
    }
    assert steps == {0.005}
    assert (tiers.cap, tiers.rates[-1], tiers.max_leverage[-1]) == (1_940_000.0, 0.4875, 2.0)
    assert table.contract_size == 0.01
    assert lc.policy("okx-linear-swap").instruments.limit("BTC-USDT-SWAP") == ""
    assert "source is cut" in InstrumentTable.bundled("okx-linear-swap-2021-06-11").limit("ADA-USDT-SWAP")


def test_a_shape_that_nobody_states_is_answered_in_the_first_tier_alone() -> None:
    policy = lc.policy("mexc-linear").with_fees()
    table = policy.instruments
    first = table["BTC_USDT"].tiers
    assert (first.shape, first.unit, len(first), first.cap) == ("flat", "contracts", 1, 30_000.0)
    assert "no source says whether their rates hold for the whole position" in table.limit("BTC_USDT")
    columns = {"isolated_margin": [1e6, 1e6], "leverage": [10.0, 10.0]}
    book = lc.PositionBook(["BTCUSDT"] * 2, [30_000.0, 30_001.0], [1e5, 1e5], **columns)  # type: ignore[arg-type]
    risk = lc.Engine(policy).evaluate(book, {"BTCUSDT": 1e5})
    assert risk.status[1] == lc.Status.TIER_OVERFLOW
    assert risk.maintenance_margin[0] == pytest.approx(30_000 * 0.0001 * 1e5 * 0.001, rel=1e-12)
    # A contract with one tier has none above: the venue ends there.
    assert table.limit("AVAX_USDT") == ""
    kraken = lc.policy("kraken-futures-multi-collateral").instruments["PF_XBTUSD"]
    assert (kraken.tiers.cap, kraken.tiers.rates) == (1_000_000.0, (0.005,))
    assert kraken.initial_tiers is not None
    assert kraken.initial_tiers.rates == (0.01,)


def test_what_is_not_known_is_not_guessed() -> None:
    okx = lc.policy("okx-linear-swap").instruments
    with pytest.raises(UnknownInstrumentError, match="the contract size is not known"):
        okx["0G-USDT-SWAP"]
    with pytest.raises(UnknownInstrumentError, match="contract size 1000 of 2025-09-18 is bundled and no"):
        okx["DOGE-USDT-SWAP"]
    facts = okx.facts("DOGE-USDT-SWAP")
    assert facts is not None
    assert (facts.contract_size, facts.tick_size, facts.has_tiers) == (1000.0, 1e-05, False)
    assert okx.facts("NOTHING") is None
    # Hyperliquid's smallest price step depends on the price.
    assert lc.policy("hyperliquid").instruments["BTC"].tick_size is None


def test_an_unknown_symbol_says_when_it_was_listed_and_what_is_near() -> None:
    table = lc.policy("binance-usdm").instruments
    for spelling in ("LUNAUSDT", "LUNA/USDT:USDT", "luna-usdt", "LUNA_USDT"):
        assert "LUNAUSDT was listed at 2022-02-05, 2022-04-16" in table.missing(spelling)
    assert "such as BTCUSDT" in table.missing("BTCUDST")
    assert table.missing("???") == "one of 907 instruments"
    assert "this policy bundles none" in lc.policy("htx-linear").instruments.missing("BTC-USDT")
    assert (
        lc.policy("bybit-inverse")
        .instruments.missing("ETH/USD:ETH")
        .endswith("of ETHUSD the contract size 1 of 2025-09-18 is bundled and no tiers")
    )
