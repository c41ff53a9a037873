"""The one way to be a column of a result: a measure of the core's tables, or codes of a vocabulary.

A result declares its columns by name; unit and meaning come from its table. Reading by name, as a mapping
and by attribute, the dictionary and the list of failures are the same for all results.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, overload

import numpy as np
import numpy.typing as npt

from levcore._levcore import Table
from levcore.book.arrays import Floats
from levcore.engine.frames import ExportsFrame, label_table, result_table
from levcore.errors import InputError
from levcore.frozen import Frozen
from levcore.measures import MEASURES, Measure
from levcore.status import FIRST_PARTIAL, AccountStatus, Code, State, Status

if TYPE_CHECKING:
    from levcore.book.positions import PositionBook

__all__ = ["AccountColumns", "CodeColumn", "Column", "Failure", "PositionColumns", "ResultColumns"]

Bytes = npt.NDArray[np.uint8]
Kind = TypeVar("Kind", bound=Code)


@dataclass(frozen=True, slots=True)
class Failure:
    """What could not be evaluated, or not wholly: a position, an account or a balance.

    Parameters
    ----------
    row : int or None
        Row of the position or balance in the caller's order, from 0; None for an account.
    account : object
        The account, or the one the row belongs to; None where it has none.
    status : Status, AccountStatus, ScenarioRowStatus or ScenarioAccountStatus
        Why.
    column : str
        Column to look at first; empty if another row of the account is at fault.
    value : object
        What that column holds.
    """

    row: int | None
    account: Any
    status: Code
    column: str
    value: object

    @property
    def words(self) -> str:
        """Meaning of the status."""
        return self.status.describe()


class Column:
    """A measure of a result; reading one that was not computed raises `InputError`."""

    measure: Measure

    def __set_name__(self, owner: "type[ResultColumns]", name: str) -> None:
        """Take unit and meaning from the table of the result."""
        self.measure = next(measure for measure in owner.table if measure.name == name)
        self.__doc__ = f"{self.measure.doc} Unit: {self.measure.unit}; float64."

    @overload
    def __get__(self, result: None, owner: type) -> "Column": ...
    @overload
    def __get__(self, result: "ResultColumns", owner: type) -> Floats: ...
    def __get__(self, result: "ResultColumns | None", owner: type) -> "Column | Floats":
        """Column of the result."""
        return self if result is None else result.column(self.measure.name)


class CodeColumn(Generic[Kind]):
    """Codes of a vocabulary, uint8; `kind` says what each means."""

    place: int

    def __init__(self, kind: type[Kind]) -> None:
        self.kind = kind
        self.__doc__ = f"Codes of `{kind.__name__}`; uint8."

    def __set_name__(self, owner: "type[ResultColumns]", name: str) -> None:
        """Take the next row of the codes."""
        own = owner.__dict__.values()
        self.place = [column for column in own if isinstance(column, CodeColumn)].index(self)

    @overload
    def __get__(self, result: None, owner: type) -> "CodeColumn[Kind]": ...
    @overload
    def __get__(self, result: "ResultColumns", owner: type) -> Bytes: ...
    def __get__(self, result: "ResultColumns | None", owner: type) -> "CodeColumn[Kind] | Bytes":
        """Codes of the result."""
        return self if result is None else result.buffers[1][self.place, : len(result)]


class ResultColumns(Frozen, ExportsFrame):
    """Columns of a result, one value a row of whatever it is about.

    A subclass names its `table` and declares a `Column` for each measure of it and a `CodeColumn` for each
    vocabulary; the last is the status.
    """

    __slots__ = ("_codes", "_results", "book")

    _instead = "evaluate again, or copy its columns with to_dict()"

    table: ClassVar[tuple[Measure, ...]]
    kinds: ClassVar[dict[str, type[Code]]]
    codes: ClassVar[tuple[str, ...]]
    book: "PositionBook"
    measures: tuple[str, ...]
    """Names of the measures that were computed: all of the table, or those in a slot of the result."""
    _results: Floats
    _codes: Bytes

    def __init_subclass__(cls) -> None:
        """Find the names of the measures and of the codes."""
        super().__init_subclass__()
        if "table" in cls.__dict__ and "measures" not in cls.__dict__:
            cls.measures = tuple(measure.name for measure in cls.table)
        found = {name: column for name, column in cls.__dict__.items() if isinstance(column, CodeColumn)}
        if found:
            cls.kinds = {name: column.kind for name, column in found.items()}
            cls.codes = tuple(found)

    def __len__(self) -> int:
        """Number of rows."""
        return int(self._codes.shape[1])

    @property
    def buffers(self) -> tuple[Floats, Bytes]:
        """Where the kernel and the reference write: one row a measure, and one row a vocabulary."""
        return self._results, self._codes

    def column(self, name: str) -> Floats:
        """Measure by name.

        Raises
        ------
        InputError
            If the measure was not asked for, or there is none of that name.
        """
        try:
            place = self.measures.index(name)
        except ValueError:
            raise InputError(name, "was not computed", ", ".join(self.measures), "") from None
        column: Floats = self._results[place, : len(self)]
        return column

    def _labels(self) -> dict[str, Any]:
        """Columns that say what each row is."""
        return {}

    def keys(self) -> tuple[str, ...]:
        """Names of the columns: what the rows are, measures, codes."""
        return (*self._labels(), *self.measures, *self.codes)

    def frame(self) -> Table:
        """The result as Arrow's columns: what the rows are, every measure, codes as words."""
        return result_table(self, label_table(len(self), self._labels()))

    def __getitem__(self, name: str) -> Any:
        """Column by name; `InputError` as for `column`."""
        if name in self.codes:
            return getattr(self, name)
        labels = self._labels()
        return labels[name] if name in labels else self.column(name)

    def to_dict(self) -> dict[str, Any]:
        """Columns by name in the order of `keys`; views, not copies."""
        return {name: self[name] for name in self.keys()}

    @property
    def _status(self) -> tuple[type[Code], Bytes]:
        """Vocabulary of the status, and its codes."""
        name = self.codes[-1]
        column: CodeColumn[Any] = getattr(type(self), name)
        return column.kind, getattr(self, name)

    def failures(self, limit: int | None = None) -> list[Failure]:
        """What could not be evaluated, or not wholly, in the order of rows; the first `limit` of them."""
        kind, codes = self._status
        first = FIRST_PARTIAL if kind is Status else 1
        failed = codes >= first
        if kind is AccountStatus:
            failed &= codes != AccountStatus.SEVERAL_WALLETS
        places = np.flatnonzero(failed)[:limit]
        return [self._failure(place, kind(int(codes[place]))) for place in places.tolist()]

    @abstractmethod
    def _failure(self, place: int, status: Code) -> Failure:
        """What failed in a row, and where to look."""


class PositionColumns(ResultColumns):
    """Every measure of a position, its state and its status."""

    __slots__ = ()

    table = MEASURES
    notional: Column = Column()
    unrealized_pnl: Column = Column()
    return_on_equity: Column = Column()
    initial_margin: Column = Column()
    maintenance_margin: Column = Column()
    equity: Column = Column()
    margin_ratio: Column = Column()
    effective_leverage: Column = Column()
    liquidation_price: Column = Column()
    bankruptcy_price: Column = Column()
    distance_to_liquidation: Column = Column()
    liquidation_price_lower: Column = Column()
    liquidation_price_upper: Column = Column()
    state: CodeColumn[State] = CodeColumn(State)
    status: CodeColumn[Status] = CodeColumn(Status)


class AccountColumns(ResultColumns):
    """Columns of a result by the cross accounts of a book."""

    __slots__ = ()

    @property
    def ids(self) -> tuple[Any, ...]:
        """Accounts: those of `wallet_balance` first, then in the order of their first cross position."""
        return self.book.account_ids

    def __len__(self) -> int:
        """Number of accounts."""
        return len(self.book.account_ids)

    def _labels(self) -> dict[str, Any]:
        return {"account": self.ids}

    def _failure(self, place: int, status: Code) -> Failure:
        value = float(self.book.wallet_balance[place]) if status.column == "wallet_balance" else None
        return Failure(None, self.ids[place], status, status.column, value)
