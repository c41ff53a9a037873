from collections.abc import Sequence
from typing import Any, final

import numpy as np
import numpy.typing as npt

from levcore.book.balances import BalanceColumns
from levcore.changes.columns import ChangeColumns
from levcore.changes.order_columns import OrderColumns
from levcore.engine.compiled import CompiledAsset, CompiledInstrument, CompiledRules
from levcore.scenarios.inputs import CompiledScenarios

__all__ = [
    "Book",
    "BookPolicies",
    "Evaluation",
    "Ladder",
    "LiveBook",
    "Members",
    "Policy",
    "Replay",
    "ResultMemory",
    "StressIndex",
    "Table",
    "TriggerIndex",
    "__version__",
    "account_measures",
    "account_statuses",
    "allocate",
    "average_impact",
    "balance_measures",
    "cascade",
    "change_kinds",
    "change_statuses",
    "close_loans",
    "closing_words",
    "column_of_numbers",
    "columns_of_numbers",
    "contracts_to_keep",
    "default_threads",
    "deleverage",
    "evaluate_over",
    "exact_sums",
    "exact_wholes",
    "fill_statuses",
    "instruction_sets",
    "kept_memory",
    "leave_one_out",
    "loss_parts",
    "measure_distances",
    "measure_distances_without",
    "measures",
    "number_code_points",
    "number_integers",
    "number_objects",
    "order_margins",
    "panic_inside",
    "positions_from_fills",
    "price_grid_profits",
    "prices_of_names",
    "quantities_to_close",
    "release_memory",
    "replay_words",
    "scenario_account_statuses",
    "scenario_margin",
    "scenario_measures",
    "scenario_row_statuses",
    "settle",
    "span_future_profits",
    "states",
    "statuses",
    "step_quantities",
    "stress_accounts",
    "stress_isolated",
    "text_to_number",
    "to_quanta",
    "used_instruction_set",
    "what_if",
]

_Amounts = list[npt.NDArray[np.int64]]
_Side = tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8], npt.NDArray[np.float64], npt.NDArray[np.uint8]]

__version__: str

@final
class Policy:
    def __new__(
        cls, rules: CompiledRules, instruments: list[CompiledInstrument], assets: list[CompiledAsset]
    ) -> Policy: ...

@final
class Table:
    def __new__(cls, rows: int) -> Table: ...
    @staticmethod
    def from_stream(capsule: object) -> Table: ...
    @staticmethod
    def unpacked(
        fields: list[tuple[Any, ...]], batches: list[tuple[int, list[tuple[Any, ...]]]]
    ) -> Table: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    def __len__(self) -> int: ...
    @property
    def names(self) -> list[str]: ...
    def kind(self, name: str) -> str: ...
    def select(self, names: list[str]) -> Table: ...
    def numbers(self, name: str, text: bool) -> npt.NDArray[np.float64]: ...
    def labels(
        self, name: str, strip: bool, known: list[Any] | None = None
    ) -> tuple[npt.NDArray[np.uint32], list[str | int]]: ...
    def values(self, name: str) -> list[str | float | bool | None]: ...
    def with_numbers(self, name: str, values: npt.NDArray[np.float64]) -> Table: ...
    def with_unknown_numbers(self, name: str) -> Table: ...
    def with_codes(
        self, name: str, codes: npt.NDArray[np.uint8], values: list[int], words: list[str]
    ) -> Table: ...
    def with_words(self, name: str, codes: npt.NDArray[np.uint32], words: list[str]) -> Table: ...
    def with_texts(self, name: str, texts: list[str | None]) -> Table: ...
    def with_integers(self, name: str, values: list[int | None]) -> Table: ...
    def with_coded_texts(self, name: str, codes: npt.NDArray[np.uint32], texts: list[str]) -> Table: ...
    def with_whole_numbers(self, name: str, values: npt.NDArray[np.int64]) -> Table: ...
    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...

def text_to_number(text: str) -> float: ...

@final
class Book:
    def __new__(
        cls,
        instrument: npt.NDArray[np.uint32],
        instrument_count: int,
        policy: npt.NDArray[np.uint32] | None,
        policy_count: int,
        quantity: npt.NDArray[np.float64],
        entry_price: npt.NDArray[np.float64],
        isolated_margin: npt.NDArray[np.float64] | None,
        leverage: npt.NDArray[np.float64] | None,
        accrued_funding: npt.NDArray[np.float64] | None,
        risk_limit: npt.NDArray[np.float64] | None,
        cross: npt.NDArray[np.bool_] | None,
        account: npt.NDArray[np.uint32] | None,
        wallet_balance: npt.NDArray[np.float64],
        account_status: list[int] | None,
        balances: BalanceColumns | None,
        hedge: bool,
        pool_all: bool,
    ) -> Book: ...
    @property
    def keeps_accounts_together(self) -> bool: ...
    @property
    def has_pooled_accounts(self) -> bool: ...
    def row_order(self) -> npt.NDArray[np.uint32]: ...

@final
class BookPolicies:
    def __new__(cls, parts: list[tuple[Policy, list[int], list[int]]]) -> BookPolicies: ...

@final
class Evaluation:
    """A book, its policies, and the outputs that its results are written to."""

    def __new__(
        cls,
        book: Book,
        policies: BookPolicies,
        wanted: int,
        rows: tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]],
        accounts: tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]] | None,
        balances: tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]] | None,
        later: tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]] | None,
        instruction_set: str,
    ) -> Evaluation: ...
    @property
    def policies(self) -> BookPolicies: ...
    def run(
        self,
        marks: npt.NDArray[np.float64],
        asset_prices: list[npt.NDArray[np.float64]],
        threads: int,
    ) -> None: ...

@final
class Members:
    def __new__(
        cls,
        book: Book,
        instrument_count: int,
        account_count: int,
        cross: npt.NDArray[np.bool_] | None,
        account: npt.NDArray[np.uint32] | None,
        policy: npt.NDArray[np.uint32] | None,
        hedge: bool,
    ) -> Members: ...

def exact_sums(
    values: npt.NDArray[np.float64], groups: npt.NDArray[np.int64] | None, count: int
) -> npt.NDArray[np.float64]:
    """Correctly rounded sums by group: the same bits in any order, those of `math.fsum`.

    Values of a negative group are left out; without `groups` all are of group 0. A group without values has
    the sum 0. NaN, or infinities of both signs, give NaN; a sum beyond the range of float64 is infinite,
    though sums on the way to it have no bound.
    """

def exact_wholes(
    values: npt.NDArray[np.float64], groups: npt.NDArray[np.int64] | None, count: int
) -> list[tuple[bytes, float]]:
    """The sums of `exact_sums` before they are rounded: a pair a group.

    The whole number of ``2**-1074`` as bytes, little-endian and in two's complement, and the plain sum of
    what was not finite.
    """

def leave_one_out(
    book: Book,
    policies: BookPolicies,
    marks: npt.NDArray[np.float64],
    asset_prices: list[npt.NDArray[np.float64]],
    results: npt.NDArray[np.float64],
    codes: npt.NDArray[np.uint8],
    instruction_set: str,
    threads: int,
) -> None: ...
def measure_distances(
    book: Book,
    policies: BookPolicies,
    marks: npt.NDArray[np.float64],
    asset_prices: list[npt.NDArray[np.float64]],
    betas: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]],
    results: npt.NDArray[np.float64],
    codes: npt.NDArray[np.uint8],
    instruction_set: str,
    threads: int,
) -> None: ...
def order_margins(
    book: Book,
    members: Members,
    policies: BookPolicies,
    marks: npt.NDArray[np.float64],
    asset_prices: list[npt.NDArray[np.float64]],
    orders: OrderColumns,
    results: npt.NDArray[np.float64],
    status: npt.NDArray[np.uint8],
    instruction_set: str,
) -> None: ...
def measure_distances_without(
    book: Book,
    policies: BookPolicies,
    marks: npt.NDArray[np.float64],
    asset_prices: list[npt.NDArray[np.float64]],
    betas: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]],
    results: npt.NDArray[np.float64],
    codes: npt.NDArray[np.uint8],
    instruction_set: str,
    threads: int,
) -> None: ...
def evaluate_over(
    book: Book,
    policies: BookPolicies,
    marks: npt.NDArray[np.float64],
    times: int,
    wanted: int,
    results: npt.NDArray[np.float64],
    codes: npt.NDArray[np.uint8],
    accounts: tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]],
    asset_prices: list[npt.NDArray[np.float64]],
    balances: tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]],
    instruction_set: str,
    threads: int,
) -> None: ...

@final
class StressIndex:
    def __new__(
        cls,
        book: Book,
        policies: BookPolicies,
        range: npt.NDArray[np.float64],
        currencies: list[int],
        done: npt.NDArray[np.bool_],
        instruction_set: str,
        threads: int,
    ) -> StressIndex: ...
    def sums(
        self,
        prices: npt.NDArray[np.float64],
        count: int,
        totals: npt.NDArray[np.float64],
        numbers: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
        threads: int,
    ) -> None: ...

def stress_accounts(
    book: Book,
    policies: BookPolicies,
    prices: npt.NDArray[np.float64],
    count: int,
    currencies: tuple[list[int], npt.NDArray[np.int64], int],
    totals: npt.NDArray[np.float64],
    numbers: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]],
    worst: tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.int64]],
    instruction_set: str,
    threads: int,
) -> bool: ...
def stress_isolated(
    book: Book,
    policies: BookPolicies,
    prices: npt.NDArray[np.float64],
    count: int,
    currencies: list[int],
    totals: npt.NDArray[np.float64],
    numbers: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    worst: tuple[
        npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.bool_]
    ],
    instruction_set: str,
    threads: int,
) -> None: ...
def positions_from_fills(
    quantity: npt.NDArray[np.float64],
    price: npt.NDArray[np.float64],
    fee: npt.NDArray[np.float64],
    order: npt.NDArray[np.uint32],
    starts: npt.NDArray[np.uint32],
    instrument: npt.NDArray[np.uint32],
    contracts: list[tuple[str, float, float] | None],
    marks: npt.NDArray[np.float64],
    threads: int,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8], npt.NDArray[np.int64]]: ...
def fill_statuses() -> list[tuple[int, str, str]]: ...
def panic_inside() -> None: ...
def quantities_to_close(
    book: Book,
    policies: BookPolicies,
    marks: npt.NDArray[np.float64],
    asset_prices: list[npt.NDArray[np.float64]],
    results: npt.NDArray[np.float64],
    instruction_set: str,
    threads: int,
) -> None: ...
def scenario_margin(
    book: Book,
    inputs: CompiledScenarios,
    out: tuple[
        Sequence[str], npt.NDArray[np.float64], npt.NDArray[np.uint8], npt.NDArray[np.float64] | None, bool
    ],
    threads: int,
) -> tuple[
    Sequence[npt.NDArray[np.uint32]],
    Sequence[npt.NDArray[np.float64]],
    npt.NDArray[np.uint32],
    npt.NDArray[np.uint8],
]: ...
def price_grid_profits(
    contracts: Sequence[tuple[str, float, float]],
    marks: npt.NDArray[np.float64],
    moves: npt.NDArray[np.float64],
    covers: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]: ...
def span_future_profits(
    price_scan_range: float, extreme_multiple: float, extreme_cover: float
) -> list[float]: ...
def scenario_measures() -> list[tuple[str, str, str]]: ...
def scenario_row_statuses() -> list[tuple[int, str, str]]: ...
def scenario_account_statuses() -> list[tuple[int, str, str]]: ...
def measures() -> list[tuple[str, str, str]]: ...
def account_measures() -> list[tuple[str, str, str]]: ...
def balance_measures() -> list[tuple[str, str, str]]: ...
def statuses() -> list[tuple[int, str, str]]: ...
def account_statuses() -> list[tuple[int, str, str]]: ...
def column_of_numbers(values: Sequence[Any]) -> npt.NDArray[np.float64] | None: ...
def columns_of_numbers(values: tuple[object, ...]) -> list[Any] | None: ...
def prices_of_names(names: tuple[str, ...], prices: dict[Any, Any]) -> npt.NDArray[np.float64] | None: ...
def change_kinds() -> list[tuple[int, str, str]]: ...
def change_statuses() -> list[tuple[int, str, str]]: ...
def states() -> list[tuple[int, str, str]]: ...
def instruction_sets() -> list[str]: ...
def used_instruction_set() -> str: ...
def default_threads() -> int: ...
def what_if(
    book: Book,
    members: Members,
    policies: BookPolicies,
    marks: npt.NDArray[np.float64],
    asset_prices: list[npt.NDArray[np.float64]],
    changes: ChangeColumns,
    wanted: int,
    sides: tuple[_Side, _Side | None, _Side | None],
    effect: npt.NDArray[np.float64],
    status: npt.NDArray[np.uint8],
    orders: tuple[OrderColumns, npt.NDArray[np.float64]] | None,
    instruction_set: str,
    threads: int,
) -> None: ...

@final
class Replay:
    def __new__(
        cls,
        book: Book,
        policies: BookPolicies,
        marks: npt.NDArray[np.float64],
        cross: npt.NDArray[np.bool_],
        account: npt.NDArray[np.uint32],
        key: npt.NDArray[np.int64],
        margin: npt.NDArray[np.int64],
        wallet: npt.NDArray[np.int64],
        fund: int,
        rules: object,
        instruction_set: str,
    ) -> Replay: ...
    def run(self, steps: object, first: int, last: int) -> None: ...
    def go_on_from(self, steps: int, funding: int, liquidated: int, unpaid: int) -> None: ...
    def stepped(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]: ...
    def go_on_after(self, of_row: npt.NDArray[np.float64], of_account: npt.NDArray[np.float64]) -> None: ...
    @property
    def steps(self) -> int: ...
    def totals(self) -> tuple[int, int, int, int]: ...
    def state(
        self,
    ) -> tuple[
        npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]
    ]: ...
    def events(
        self,
    ) -> tuple[
        npt.NDArray[np.uint8],
        list[npt.NDArray[np.uint64]],
        list[npt.NDArray[np.float64]],
        list[npt.NDArray[np.int64]],
    ]: ...
    def samples(
        self,
    ) -> tuple[list[npt.NDArray[np.uint64]], list[npt.NDArray[np.float64]], list[npt.NDArray[np.int64]]]: ...

def replay_words() -> list[tuple[str, str]]: ...
def kept_memory() -> tuple[list[int], int]: ...
def release_memory() -> None: ...

@final
class ResultMemory:
    def __new__(cls, values: int) -> ResultMemory: ...
    @property
    def __array_interface__(self) -> dict[str, Any]: ...

@final
class TriggerIndex:
    def __new__(
        cls,
        book: Book,
        policies: BookPolicies,
        marks: npt.NDArray[np.float64],
        instruction_set: str,
    ) -> TriggerIndex: ...
    def ticks(
        self,
        starts: npt.NDArray[np.uint64],
        instrument: npt.NDArray[np.uint32],
        price: npt.NDArray[np.float64],
    ) -> tuple[
        npt.NDArray[np.uint64],
        npt.NDArray[np.bool_],
        npt.NDArray[np.uint32],
        list[npt.NDArray[np.uint8]],
        npt.NDArray[np.float64],
    ]: ...
    def liquidatable(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.uint32]]: ...

_Column = npt.NDArray[np.float64]
_Figures = tuple[npt.NDArray[np.uint8], list[_Column]]
_Events = tuple[
    npt.NDArray[np.uint64],
    npt.NDArray[np.bool_],
    npt.NDArray[np.uint32],
    npt.NDArray[np.uint8],
    _Figures,
]

@final
class LiveBook:
    def __new__(
        cls,
        book: Book,
        cross: npt.NDArray[np.bool_],
        account: npt.NDArray[np.uint32],
        balance_account: npt.NDArray[np.uint32],
        assets: int,
        whole: tuple[bool, bool],
        levels: list[BookPolicies],
        watched: list[int],
        marks: _Column,
        asset_prices: _Column,
        instruction_set: str,
    ) -> LiveBook: ...
    def ticks(
        self, starts: npt.NDArray[np.uint64], instrument: npt.NDArray[np.uint32], price: _Column
    ) -> _Events: ...
    def amend(self, rows: npt.NDArray[np.uint32], numbers: list[_Column | None]) -> _Events: ...
    def ask_amend(
        self,
        rows: npt.NDArray[np.uint32],
        numbers: list[_Column | None],
        rows_of_caller: npt.NDArray[np.int64],
    ) -> None: ...
    def ask_open(
        self,
        instrument: npt.NDArray[np.uint32],
        cross: npt.NDArray[np.bool_],
        account: npt.NDArray[np.uint32],
        numbers: list[_Column | None],
        new_wallets: _Column,
        balances: tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32], list[_Column | None]],
        places_of_caller: npt.NDArray[np.int64],
    ) -> None: ...
    def set_wallets(self, accounts: npt.NDArray[np.uint32], balances: _Column) -> _Events: ...
    def open(
        self,
        instrument: npt.NDArray[np.uint32],
        cross: npt.NDArray[np.bool_],
        account: npt.NDArray[np.uint32],
        numbers: list[_Column | None],
        new_wallets: _Column,
        balances: tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32], list[_Column | None]],
    ) -> _Events: ...
    def set_balances(
        self, balances: tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32], list[_Column | None]]
    ) -> _Events: ...
    def balances(self, accounts: npt.NDArray[np.uint32], assets: npt.NDArray[np.uint32]) -> list[_Column]: ...
    def balance_columns(
        self,
    ) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32], list[_Column]]: ...
    @staticmethod
    def totals(books: list[LiveBook]) -> tuple[float, float, list[list[int]]]: ...
    def figures(self) -> tuple[_Figures, npt.NDArray[np.uint32], _Figures]: ...
    def columns(self) -> tuple[npt.NDArray[np.uint32], list[_Column | None], _Column]: ...
    @staticmethod
    def totals_by_side(books: list[LiveBook]) -> tuple[npt.NDArray[np.uint64], list[_Column]]: ...
    def replace_rules(
        self, policies: list[BookPolicies], instrument: int, rows_of_caller: npt.NDArray[np.int64]
    ) -> _Events: ...
    def wallets(self, accounts: npt.NDArray[np.uint32]) -> _Column: ...
    def examined(self) -> int: ...
    def followed(self) -> int: ...
    def prices(self) -> list[_Column]: ...

@final
class Ladder:
    def __new__(
        cls,
        size: npt.NDArray[np.float64],
        entry: npt.NDArray[np.float64],
        trigger: npt.NDArray[np.float64],
        bankruptcy: npt.NDArray[np.float64],
        falls: bool,
        per_unit: float,
    ) -> Ladder: ...
    def at(
        self, coordinates: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.uint64], list[npt.NDArray[np.float64]]]: ...

def allocate(
    amount: int,
    capacity: npt.NDArray[np.int64],
    weight: npt.NDArray[np.int64],
    rule: str,
    deal_rest: bool,
) -> npt.NDArray[np.int64]: ...
def closing_words() -> list[list[tuple[str, str]]]: ...
def deleverage(
    ranking: str,
    sharing: str,
    profit: npt.NDArray[np.float64],
    entry_value: npt.NDArray[np.float64],
    value: npt.NDArray[np.float64],
    wallet: npt.NDArray[np.float64],
    equity: npt.NDArray[np.float64],
    maintenance_margin: npt.NDArray[np.float64],
    leverage: npt.NDArray[np.float64],
    key: npt.NDArray[np.int64],
    lots: npt.NDArray[np.int64],
    pool: npt.NDArray[np.uint32],
    wanted_lots: npt.NDArray[np.int64],
    wanted_amount: npt.NDArray[np.int64],
    per_unit: float,
    seed: int,
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]: ...
def step_quantities(
    step: str,
    numbers: tuple[float, float, float],
    quantity: npt.NDArray[np.float64],
    value: npt.NDArray[np.float64],
    keep: npt.NDArray[np.float64],
    all: npt.NDArray[np.bool_],
) -> npt.NDArray[np.float64]: ...
def contracts_to_keep(floors: list[float], key: float, quantity: float, tiers: int) -> float: ...
def average_impact(
    kind: str,
    first: npt.NDArray[np.float64],
    second: npt.NDArray[np.float64],
    quantity: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]: ...
def cascade(
    quantity: npt.NDArray[np.float64],
    trigger: npt.NDArray[np.float64],
    falls: bool,
    start: float,
    kind: str,
    first: npt.NDArray[np.float64],
    second: npt.NDArray[np.float64],
    lots_per_unit: float,
) -> tuple[
    npt.NDArray[np.int64], npt.NDArray[np.int64], list[npt.NDArray[np.float64]], npt.NDArray[np.int64]
]: ...
def close_loans(
    debt: npt.NDArray[np.int64],
    collateral: npt.NDArray[np.int64],
    total_debt: npt.NDArray[np.int64],
    total_collateral: npt.NDArray[np.int64],
    health_factor: npt.NDArray[np.float64],
    bonus: npt.NDArray[np.int64],
    rule: tuple[float, int, int, float, int],
) -> _Amounts: ...
def loss_parts(
    gain: npt.NDArray[np.float64],
    entry: npt.NDArray[np.float64],
    trigger: npt.NDArray[np.float64],
    fill: npt.NDArray[np.float64],
    fee_rate: npt.NDArray[np.float64],
    per_unit: float,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]: ...
def settle(
    gain: npt.NDArray[np.float64],
    entry: npt.NDArray[np.float64],
    trigger: npt.NDArray[np.float64],
    fill: npt.NDArray[np.float64],
    fee_rate: npt.NDArray[np.float64],
    lots: npt.NDArray[np.int64],
    pool: npt.NDArray[np.uint32],
    purse: npt.NDArray[np.uint32],
    served: npt.NDArray[np.uint32],
    margin: npt.NDArray[np.int64],
    ends: npt.NDArray[np.bool_],
    to_fund: npt.NDArray[np.bool_],
    owner: npt.NDArray[np.uint32],
    other_money: npt.NDArray[np.int64],
    fund: tuple[int, int, int],
    lots_of_winners: npt.NDArray[np.int64],
    winners_pay: bool,
    gains: int,
    payers: list[str],
    per_unit: float,
) -> tuple[
    list[npt.NDArray[np.int64]],
    list[npt.NDArray[np.int64]],
    list[npt.NDArray[np.int64]],
    list[npt.NDArray[np.int64]],
]: ...
def to_quanta(amount: npt.NDArray[np.float64], per_unit: float) -> npt.NDArray[np.int64]: ...
def number_code_points(
    points: npt.NDArray[np.uint32], width: int, known: list[Any] | None = None
) -> tuple[tuple[npt.NDArray[np.uint32], list[Any]], npt.NDArray[np.int64]]: ...
def number_integers(
    values: npt.NDArray[np.int64], known: list[Any] | None = None
) -> tuple[tuple[npt.NDArray[np.uint32], list[Any]], npt.NDArray[np.int64]]: ...
def number_objects(
    values: list[Any] | tuple[Any, ...] | npt.NDArray[np.object_], known: list[Any] | None = None
) -> tuple[npt.NDArray[np.uint32], list[Any]] | None: ...
