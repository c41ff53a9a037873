"""Open orders beside the positions, and the margin that they ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from levcore._levcore import order_margins
from levcore.arguments import of_kind
from levcore.book.arrays import Codes, Floats, factorize, flat_array, float_column, label_sequence, read_only
from levcore.book.marks import Marks
from levcore.book.policy_labels import labels_of_book
from levcore.book.positions import PositionBook
from levcore.changes.members import members_of
from levcore.changes.names import extended_marks, kernels
from levcore.changes.order_columns import names_of_orders, order_columns
from levcore.changes.order_result import OrderMargin
from levcore.engine.engine import Engine
from levcore.errors import DTypeError, InputError, ShapeError
from levcore.frozen import Frozen

if TYPE_CHECKING:
    from levcore.rules.policy import MarginPolicy

__all__ = ["Orders", "check_orders", "order_margin"]

Labels = Sequence[Any] | npt.NDArray[Any]


class Orders(Frozen):
    """Open orders of cross accounts, one a row.

    Parameters
    ----------
    account : sequence of str or int, shape (o,)
        Account of each order, one of the book.
    instrument : sequence of str, shape (o,)
        Instrument of each order.
    quantity : array_like, shape (o,), contracts
        Positive buys, negative sells.
    price : array_like, shape (o,), quote per base
        Limit price.
    reduce_only : array_like of bool, shape (o,), or a bool
        Whether the order can only reduce its position, and so asks for nothing.
    leverage : array_like, shape (o,), or a number, optional
        Leverage of a position that the order would open; NaN or absent: that of the position there is. The
        first order of an account in an instrument states it for all of them.
    policy : sequence of str, shape (o,), optional
        Label of the policy of accounts without positions, in a book of several policies.

    Raises
    ------
    ShapeError, DTypeError
        For columns of wrong length or type.
    """

    __slots__ = ("account", "instrument", "leverage", "policy", "price", "quantity", "reduce_only")

    _instead = "build new ones, levcore.Orders(...)"

    quantity: Floats
    price: Floats
    leverage: Floats
    reduce_only: npt.NDArray[np.bool_]
    account: tuple[Codes, list[Any]]
    instrument: tuple[Codes, list[Any]]
    policy: tuple[Codes, list[Any]] | None

    def __init__(
        self,
        account: Labels,
        instrument: Labels,
        quantity: npt.ArrayLike,
        price: npt.ArrayLike,
        reduce_only: bool | npt.ArrayLike = False,
        leverage: npt.ArrayLike | None = None,
        policy: Labels | None = None,
    ) -> None:
        contracts = float_column("quantity", quantity, None, [])
        count = contracts.size
        flags = (
            np.full(count, reduce_only)
            if np.ndim(reduce_only) == 0
            else flat_array("reduce_only", reduce_only)
        )
        if flags.dtype.kind != "b":
            raise DTypeError("reduce_only", "must hold flags", "bool", str(flags.dtype))
        if flags.shape != (count,):
            raise ShapeError("reduce_only", "must have one value an order", str(count), str(flags.shape))
        self._fill(
            quantity=contracts,
            price=float_column("price", price, count, []),
            leverage=float_column("leverage", np.nan if leverage is None else leverage, count, []),
            reduce_only=read_only(np.ascontiguousarray(flags)),
            account=_labels("account", account, count),
            instrument=_labels("instrument", instrument, count),
            policy=None if policy is None else _labels("policy", policy, count),
        )

    def __len__(self) -> int:
        """Number of orders."""
        return self.quantity.size


def _labels(name: str, values: Labels, count: int) -> tuple[Codes, list[Any]]:
    codes, labels = factorize(name, label_sequence(name, values))
    if codes.size != count:
        raise ShapeError(name, "must have one value an order", str(count), str(codes.size))
    return read_only(codes), labels


def order_margin(engine: Engine, book: PositionBook, marks: Marks, orders: Orders) -> OrderMargin:
    """Margin of open orders: what they ask for by account, and what is left.

    Parameters
    ----------
    engine : Engine
        Policies; each states `order_margin` and `order_loss`.
    book : PositionBook
        Positions and wallets, in one-way mode; accounts with orders have a wallet and no balances.
    marks : mapping or array_like
        As `levcore.what_if` takes them.
    orders : Orders

    Returns
    -------
    OrderMargin
        By order its status, by account its sums.

    Raises
    ------
    UnknownRuleError
        If a policy does not know what open orders ask for, or whether they are charged for their loss.
    InputError
        For orders of accounts that the book does not have, or that hold balances; for hedge mode, and for
        policies whose initial margin follows a table.

    Notes
    -----
    With the signed value V of the position at the mark, the values B of all buy and S of all sell orders at
    their prices and the leverage L, ``"larger_side"`` asks for ``max(|V + B|, |V - S|) / L - |V| / L`` and
    ``"sum"`` for ``(B + S) / L``. The loss of an order is what it would open with at the mark.

    Examples
    --------
    >>> import levcore as lc
    >>> engine = lc.Engine(lc.policy("binance-usdm@2024-10-24"))
    >>> book = lc.PositionBook(["BTCUSDT"], [1.0], [60_000.0], ["one"], "cross", leverage=[10.0],
    ...                        wallet_balance={"one": 20_000.0})
    >>> orders = lc.Orders(["one"] * 2, ["BTCUSDT"] * 2, [1.0, -1.5], [59_000.0, 62_000.0])
    >>> margin = lc.order_margin(engine, book, {"BTCUSDT": 60_000.0}, orders)
    >>> margin.order_margin.tolist(), margin.free_margin.tolist()
    ([5900.0], [8100.0])
    """
    of_kind("engine", engine, Engine)
    of_kind("book", book, PositionBook)
    of_kind("orders", orders, Orders)
    check_orders(engine, book, orders)
    bound = engine.bind(book)
    policies = bound.policies
    names = names_of_orders(book, orders, policies)
    prices = extended_marks(book, names, marks)
    risk = engine.evaluate(book, prices[..., : len(book.instrument_names)])
    result = OrderMargin(risk, len(orders))
    sums, status = result.buffers
    order_margins(
        bound.handle,
        members_of(book, bound.handle).handle,
        kernels(engine, book, names),
        prices if prices.ndim == 1 else prices.ravel(),
        [],
        order_columns(book, orders, names, policies),
        sums,
        status,
        engine.used_instruction_set,
    )
    result.settle()
    return result


def check_orders(engine: Engine, book: PositionBook, orders: Orders) -> None:
    """Refuse orders that cannot be charged: as `order_margin` says."""
    for argument, value, kind in (("engine", engine, Engine), ("orders", orders, Orders)):
        if not isinstance(value, kind):
            raise DTypeError(argument, f"must be {kind.__name__}", kind.__name__, type(value).__name__)
    labels_of_book(book, tuple(engine.policies))
    if book.position_mode == "hedge":
        rule = "must be in one-way mode: no source says what orders ask for beside hedged legs"
        raise InputError("book", rule, "position_mode='one_way'", "'hedge'")
    if book.balances is not None:
        rule = "must have wallets: the margin of orders is not computed for accounts with balances"
        raise InputError("book", rule, "wallet_balance", "balances")
    bound = engine.bind(book)
    bound.wallets.refuse_several("orders")
    for policy in bound.policies:
        _check_policy(policy)


def _check_policy(policy: MarginPolicy) -> None:
    policy.known("order_margin")
    policy.known("order_loss")
    if policy.known("initial_margin_rule") == "table" and policy.order_margin != "none":
        rule = "the margin of orders is computed from leverages"
        raise InputError("policy", rule, "initial_margin_rule='leverage'", f"'table' in {policy.id}")
