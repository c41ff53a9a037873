"""A venue's positions against the engine: each number of the venue beside ours, and why they differ.

The inputs of a reply (size, entry, mark, mode, margin, leverage, wallet) are evaluated under a policy; every
number that the venue computed from them is compared to its last printed digit. What the reply does not hold
is recovered from the venue's own numbers where they determine it, and otherwise not derivable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from levcore.arguments import optional

if TYPE_CHECKING:
    from levcore.reconciliation.result import Reconciliation
    from levcore.rules.instruments import Instrument, InstrumentTable
    from levcore.rules.policy import MarginPolicy
    from levcore.rules.tiers import TierTable
    from levcore.venues.positions.reply import MarginMode

__all__ = ["reconcile"]


def reconcile(
    positions: Any,
    source: str,
    *,
    policy: MarginPolicy | str | None = None,
    rules: Mapping[str, Any] | None = None,
    fees: Literal["regular"] | None = None,
    tiers: Mapping[str, TierTable] | None = None,
    instruments: Mapping[str, Instrument] | InstrumentTable | None = None,
    account: Any = None,
    wallet_balance: Mapping[str, float | str] | None = None,
    margin_mode: MarginMode | None = None,
) -> Reconciliation:
    """Compare the numbers of a venue's reply with the engine's.

    Parameters
    ----------
    positions : path, or parsed JSON
        The reply, or what ccxt's ``fetch_positions()`` returned; or a list of replies, which are pages.
    source : {"binance", "bybit", "ccxt", "hyperliquid", "okx"}
        Whose reply it is.
    policy : MarginPolicy or str, optional
        Rules; by default the newest bundled policy of the product.
    rules : mapping of str to value, optional
        Rules stated on top, as `levcore.with_rules` takes them; ``closing_fee_rate`` for instance.
    fees : {"regular"}, optional
        Take the fee that a policy leaves to the account from the venue's lowest account tier.
    tiers : mapping of str to TierTable, optional
        Tier tables by symbol, from `levcore.venue_tiers`.
    instruments : mapping of str to Instrument, optional
        Instruments with contract size, tick and tiers.
    account : path, or parsed JSON, optional
        The venue's reply about the account, with its wallet balances; or a list of such replies.
    wallet_balance : mapping of str to number, optional
        Wallet balance by settlement currency, settlement currency.
    margin_mode : {"isolated", "cross"}, optional
        Margin mode of every position, where it is a setting of the account that the reply does not hold: of
        unified accounts of Bybit, which are taken as cross otherwise.

    Returns
    -------
    Reconciliation

    Raises
    ------
    FileFormatError
        Where a file is not such a reply, naming the place.
    InputError
        For an unknown source, or positions whose policy must be named.
    UnknownRuleError
        Where the policy cannot evaluate the positions before a rule is stated.

    Examples
    --------
    >>> from levcore.reconciliation.reconcile import reconcile
    >>> position = {
    ...     "symbol": "BTCUSDT", "positionAmt": "0.001", "marginType": "cross", "leverage": "4",
    ...     "entryPrice": "22185.2", "markPrice": "21123.05052574",
    ...     "notional": "21.12305052", "unRealizedProfit": "-1.06214947",
    ... }
    >>> [(each.field, each.verdict.value, each.reason) for each in reconcile([position], "binance").numbers]
    [('notional', 'rounded', 'cut to 0.00000001'), ('unRealizedProfit', 'same', '')]
    """
    # Imported with levcore itself, which most programs do without ever reconciling.
    from levcore.reconciliation.reply import Given, reconcile_reply, reply_of

    given_by = {"rules": rules, "tiers": tiers, "instruments": instruments, "wallet_balance": wallet_balance}
    for argument, value in given_by.items():
        optional(argument, value, Mapping)
    reply = reply_of(positions, source, account, margin_mode)
    given = Given(policy, rules or {}, fees, tiers or {}, instruments or {}, reply, wallet_balance or {})
    return reconcile_reply(given, source)
