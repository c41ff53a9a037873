"""One book under several policies: the answers side by side, and where they differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from levcore.book.asset_prices import asset_price_columns
from levcore.book.marks import Marks, mark_prices
from levcore.book.positions import PositionBook
from levcore.errors import DTypeError, InputError
from levcore.rules.policy import MarginPolicy
from levcore.rules.several import Policies, label_of, labelled

if TYPE_CHECKING:
    from levcore.comparison.comparison import Comparison
    from levcore.comparison.instruments import Names

__all__ = ["compare"]


def compare(
    book: PositionBook,
    policies: Policies,
    marks: Marks,
    *,
    instruments: Mapping[str, Names] | None = None,
    tiers_from: MarginPolicy | str | None = None,
    quantities_of: str | None = None,
    asset_prices: Mapping[str, float] | None = None,
    assets_from: MarginPolicy | str | None = None,
) -> Comparison:
    """Evaluate one book under several policies.

    Parameters
    ----------
    book : PositionBook
        Positions and wallets, without a policy of their own.
    policies : sequence of MarginPolicy or of their names, or mapping of label to these
        What to compare. Without labels of the caller's, a name stands as it was given, a policy by its id.
    marks : mapping of instrument name to price, or array_like of shape (len(book.instrument_names),)
        As for `levcore.Engine.evaluate`; one price an instrument for all policies.
    instruments : mapping of policy to {name in the book: name in the policy, or Instrument}, optional
        What the policies call the book's instruments, where they do so neither by the book's name nor by the
        unified symbol.
    tiers_from : MarginPolicy or str, optional
        Policy whose instruments, tiers included, are taken for what another one does not hold. The comparison
        is then one of rules on that policy's tiers, and says so.
    quantities_of : str, optional
        Policy whose contracts the book's quantities count; needed where contract sizes differ. Instruments of
        other sizes are restated in these.
    asset_prices : mapping of asset name to price, optional
        As for `levcore.Engine.evaluate`; needed for a book with balances.
    assets_from : MarginPolicy or str, optional
        Policy whose assets, weights and loan rates included, are taken for those that another one does not
        hold.

    Returns
    -------
    Comparison
        A policy that does not know a rule it needs, or whose accounts cannot hold what the book's do, is a
        `Refusal` in it, not an error. Where it knows the rules for some positions or accounts, it answers for
        these; the others have the status ``REFUSED`` under it, and `Comparison.withheld` says why.

    Raises
    ------
    UnknownPolicyError
        For a name that no bundled policy has.
    InputError
        For no policy at all, two under one label, a label that is none, instruments that are not one
        contract under every policy, balances without `asset_prices` or the reverse.
    UnknownInstrumentError
        For a name in `instruments` that the policy's table does not hold.
    ShapeError, DTypeError
        For marks or a book of the wrong size or type.

    Examples
    --------
    >>> import levcore as lc
    >>> from levcore.comparison.compare import compare
    >>> book = lc.PositionBook(["BTCUSDT"], [0.5], [60_000.0], isolated_margin=[3_000.0], leverage=[10.0])
    >>> bybit = lc.policy("bybit-linear@2026-05-27").replace(closing_fee_rate=0.00055)
    >>> policies = ["binance-usdm@2024-10-24", bybit]
    >>> both = compare(book, policies, {"BTCUSDT": 61_000.0})
    >>> {label: price.round(2).tolist() for label, price in both.table("liquidation_price").items()}
    {'binance-usdm@2024-10-24': [54216.87], 'bybit-linear@2026-05-27': [54208.6]}
    """
    # Imported with levcore itself, which most programs do without ever comparing.
    from levcore.comparison.answer import answer
    from levcore.comparison.assets import match_assets
    from levcore.comparison.comparison import Comparison
    from levcore.comparison.instruments import match_instruments
    from levcore.engine.answers import check_spellings, same_listed

    if not isinstance(book, PositionBook):
        raise DTypeError("book", "must be a PositionBook", "PositionBook", type(book).__name__)
    chosen = labelled(policies)
    if book.policy_codes is not None:
        found = ", ".join(map(repr, book.policy_names))
        raise InputError("book", "must leave the policy open, to compare several", "no policy column", found)
    prices = mark_prices(book, marks)
    given = {label_of(key, chosen, "instruments"): names for key, names in (instruments or {}).items()}
    for one in chosen.values():
        # Under its own names each would be an instrument, so that nothing later tells them apart.
        check_spellings(one, same_listed(one.instruments, book.instrument_names), book, book.is_cross)
    used = np.flatnonzero(np.bincount(book.instrument_codes, minlength=len(book.instrument_names)))
    matches = match_instruments(
        [book.instrument_names[code] for code in used.tolist()],
        chosen,
        given,
        lender=_lender("tiers_from", tiers_from, chosen),
        quantities_of=None if quantities_of is None else label_of(quantities_of, chosen, "quantities_of"),
    )
    asset_matches = match_assets(book, chosen, matches, _lender("assets_from", assets_from, chosen))
    ready = {
        label: one.replace(instruments=matches[label].instruments, assets=asset_matches[label].assets)
        for label, one in chosen.items()
    }
    # Prices that are missing or no numbers are the call's fault, not an answer of any policy.
    asset_price_columns(book, list(ready.values()), asset_prices)
    answers = {label: answer(one, matches[label], book, prices, asset_prices) for label, one in ready.items()}
    return Comparison(book, prices, ready, matches, answers, asset_prices, asset_matches)


def _lender(
    argument: str, lender: MarginPolicy | str | None, chosen: Mapping[str, MarginPolicy]
) -> tuple[str, MarginPolicy] | None:
    if lender is None:
        return None
    if isinstance(lender, MarginPolicy):
        return lender.id, lender
    try:
        label = label_of(lender, chosen, argument)
    except InputError:
        return lender, labelled([lender])[lender]
    return label, chosen[label]
