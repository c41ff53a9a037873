"""What venues send: replies with positions, replies with tiers, and the numbers printed in them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from levcore.reconciliation.book import ReadReply
    from levcore.rules.instruments import Instrument, InstrumentTable
    from levcore.rules.policy import MarginPolicy
    from levcore.rules.tiers import TierTable
    from levcore.venues.positions.reply import MarginMode

__all__ = ["read"]


def read(
    reply: Any,
    source: str,
    *,
    policy: "MarginPolicy | str | None" = None,
    rules: Mapping[str, Any] | None = None,
    fees: 'Literal["regular"] | None' = None,
    tiers: "Mapping[str, TierTable] | None" = None,
    instruments: "Mapping[str, Instrument] | InstrumentTable | None" = None,
    account: Any = None,
    wallet_balance: Mapping[str, float | str] | None = None,
    margin_mode: "MarginMode | None" = None,
) -> "ReadReply":
    """Read a venue's reply into a book.

    Inputs that the reply does not hold are recovered from the venue's own numbers where these determine
    them (a mark from a value, a wallet from a printed cross price) and said in ``notes``; what stays unknown
    is NaN, or an instrument that the policy does not know, so that its row fails.

    Parameters
    ----------
    reply : path, or parsed JSON
        The reply, or what ccxt's ``fetch_positions()`` returned; or a list of replies, which are pages.
    source, policy, rules, fees, tiers, instruments, account, wallet_balance, margin_mode
        As of `levcore.reconcile`.

    Returns
    -------
    ReadReply
        A named tuple: ``book``, ``marks``, ``balances``, ``asset_prices``, ``policies``, ``recovered``,
        ``left_out``, ``notes``, ``columns``.

    Raises
    ------
    FileFormatError
        Where a file is not such a reply, naming the place.
    InputError
        For an unknown source, or positions whose policy must be named.

    Examples
    --------
    >>> import levcore as lc
    >>> position = {
    ...     "symbol": "BTCUSDT", "positionAmt": "0.001", "marginType": "isolated", "leverage": "4",
    ...     "entryPrice": "22185.2", "markPrice": "21123.05052574", "isolatedWallet": "5.5463",
    ... }
    >>> read = lc.venues.read([position], "binance", policy="binance-usdm@2024-10-24")
    >>> risk = lc.Engine(read.policies).evaluate(read.book, read.marks)
    >>> risk.liquidation_price.round(2).tolist(), read.left_out
    ([16705.72], ())
    """
    # What recovers inputs needs the engine, which reading a table of tiers does not.
    from levcore.reconciliation.book import book_of
    from levcore.reconciliation.reply import Given, reply_of

    read = reply_of(reply, source, account, margin_mode)
    return book_of(
        Given(policy, rules or {}, fees, tiers or {}, instruments or {}, read, wallet_balance or {})
    )
