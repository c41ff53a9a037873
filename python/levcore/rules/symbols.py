"""Spellings of one contract: the venue's, ccxt's, TradingView's, the plain one, in any case and separator."""

import re

__all__ = ["base_of", "in_other_quotes", "keys_of", "names_its_quote", "plain_symbol", "symbol_key"]

_UNIFIED_SYMBOL = re.compile(r"([^/:]+)/([^/:]+?)(?::([^/:-]+)(?:-(\d+))?)?")
_SEPARATORS = re.compile(r"[-_/:. ]+")
# Kraken's kinds of contract, which stand before the pair: PF_XBTUSD. PI_USDT and ETHFI_USDT name coins.
_KIND_BEFORE = re.compile(r"^(PF|PI|FF|FI|PV|FV)_(?!(?:USDT|USDC|BUSD|FDUSD|USDG|USD|EUR)$)", re.IGNORECASE)
# BitMEX's month and year, which stand behind the pair: XBTUSDTH23.
_MONTH_BEHIND = re.compile(r"(?<=USDT)[FGHJKMNQUVXZ]\d\d$")
# What stands behind the pair for a perpetual: BTC-USDT-SWAP, BTCUSD_PERP, BTC-PERPETUAL, XBTUSDTM.
_KIND_BEHIND = re.compile(r"(SWAP|PERPETUAL|PERP|(?<=USD)M|(?<=USDT)M|(?<=USDC)M)$")
# TradingView's spelling: the venue before the name, and .P behind the quote of a perpetual, BYBIT:BTCUSDT.P.
# Venues are listed, since Hyperliquid's builders have words of their own there; shares may be of a class P.
_VENUE_BEFORE = re.compile(
    r"^(BINANCE|BYBIT|OKX|BITGET|MEXC|GATEIO|GATE|KUCOIN|BITMEX|KRAKEN|DERIBIT|HYPERLIQUID|DYDX|PHEMEX|BINGX):(?=[^/:]+$)",
    re.IGNORECASE,
)
_PERPETUAL_BEHIND = re.compile(r"((?<=USDT)|(?<=USDC)|(?<=USD))\.P$", re.IGNORECASE)
_NEAREST = ("USDT", "USDC", "USD", "")
_QUOTES = ("USDT", "USDC", "BUSD", "FDUSD", "USDG", "USD", "EUR")


def plain_symbol(symbol: str) -> str:
    """Symbol as a venue writes it, of one in the unified ``base/quote:settlement-expiry`` spelling.

    Only contracts settled in their quote currency are translated, since for the others venues differ; every
    other text comes back as it is.

    Examples
    --------
    >>> plain_symbol("BTC/USDC:USDC"), plain_symbol("BTC/USDT:USDT-231229"), plain_symbol("BTC/USD:BTC")
    ('BTCUSDC', 'BTCUSDT_231229', 'BTC/USD:BTC')
    """
    match = _UNIFIED_SYMBOL.fullmatch(symbol)
    if match is None:
        return symbol
    base, quote, settlement, expiry = match.groups()
    if settlement not in (None, quote):
        return symbol
    return base + quote + (f"_{expiry}" if expiry else "")


def symbol_key(symbol: str) -> str:
    """What all spellings of one contract have in common; one that says the settlement keeps it.

    Examples
    --------
    >>> {symbol_key(each) for each in ("BTC-USDT-SWAP", "BTCUSDT", "btc_usdt", "XBTUSDTM", "BTC/USDT")}
    {'BTCUSDT'}
    >>> {symbol_key(each) for each in ("BTCUSDT.P", "BINANCE:BTCUSDT", "BYBIT:BTCUSDT.P")}
    {'BTCUSDT'}
    >>> symbol_key("BTC/USDT:USDT"), symbol_key("BTC/USD:BTC-240628")
    ('BTCUSDT:USDT', 'BTCUSD240628:BTC')
    """
    match = _UNIFIED_SYMBOL.fullmatch(symbol)
    if match is None:
        return _key(symbol)
    base, quote, settlement, expiry = match.groups()
    return _settled(_key(base + quote + (expiry or "")), settlement or "")


def _key(name: str) -> str:
    name = _PERPETUAL_BEHIND.sub("", _VENUE_BEFORE.sub("", name))
    key = _SEPARATORS.sub("", _KIND_BEFORE.sub("", name, count=1)).upper()
    key = _KIND_BEHIND.sub("", key) or key
    return "BTC" + key[3:] if key.startswith("XBT") else key


def _settled(key: str, settlement: str) -> str:
    return f"{key}:{'BTC' if settlement == 'XBT' else settlement.upper()}" if settlement else key


def keys_of(name: str, settlement: str, payoff: str) -> tuple[str, ...]:
    """Keys under which an instrument is found: with and without its settlement currency.

    A name without its quote currency, as Hyperliquid's ``BTC``, is found by itself and with it; of one such
    as ``BTCPERP`` the bare base would be another contract's name as well.
    """
    key = symbol_key(name)
    if ":" in key:
        return key.partition(":")[0], key
    quote = settlement if payoff == "linear" else "USD"
    ends = next((each for each in (quote.upper(), *_QUOTES) if each and each in key[1:]), "")
    if ends or not quote:
        return key, _settled(key, settlement or ends)
    paired = key + quote.upper()
    bare = (key,) if key == _SEPARATORS.sub("", name).upper() else ()
    return *bare, paired, _settled(paired, settlement)


def base_of(name: str, settlement: str, payoff: str) -> str:
    """What the price is of, as assets name it: ``BTC`` of ``BTCUSDT``, ``PF_XBTUSD`` and ``BTC``."""
    if payoff == "inverse" and settlement:
        return settlement
    first = re.split(r"[-_/]", _KIND_BEFORE.sub("", name, count=1))[0]
    first = _MONTH_BEHIND.sub("", first.removesuffix("PERP") or first)
    for quote in (settlement, *_QUOTES):
        if quote and first != quote and first.removesuffix("M").endswith(quote):
            first = first.removesuffix("M").removesuffix(quote)
            break
    return "BTC" if first == "XBT" else first


def in_other_quotes(symbol: str) -> tuple[str, ...]:
    """Symbols on the same base in the quotes that venues of one currency list it in, the nearest first.

    Examples
    --------
    >>> in_other_quotes("ETH/USDT:USDT"), in_other_quotes("BTC-USDT-SWAP")
    (('ETHUSDT', 'ETHUSDC', 'ETHUSD', 'ETH'), ('BTCUSDT', 'BTCUSDC', 'BTCUSD', 'BTC'))
    """
    base = base_of(symbol_key(symbol).partition(":")[0], "", "linear")
    return tuple(base + quote for quote in _NEAREST)


def names_its_quote(symbol: str) -> bool:
    """Whether a symbol says in which currency its price is; a bare ``"BTC"`` may mean any.

    Examples
    --------
    >>> [names_its_quote(symbol) for symbol in ("BTCUSDT", "BTC/USD:BTC", "BTC", "USD")]
    [True, True, False, False]
    """
    key = symbol_key(symbol).partition(":")[0]
    return any(key.endswith(quote) and key != quote for quote in _QUOTES)
