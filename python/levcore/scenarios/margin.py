"""Portfolio margin of the accounts of a book."""

import numpy as np

from levcore._levcore import scenario_margin as core_scenario_margin
from levcore.book.positions import PositionBook
from levcore.engine.threads import threads_of_call
from levcore.scenarios.add_ons import ScenarioAddOns
from levcore.scenarios.arrays import ScenarioArrays
from levcore.scenarios.inputs import Adjustments, Equity, compile_scenarios
from levcore.scenarios.risk import ScenarioRisk, measures_of

__all__ = ["scenario_margin"]


def scenario_margin(
    book: PositionBook,
    arrays: ScenarioArrays,
    add_ons: ScenarioAddOns | None = None,
    *,
    equity: Equity | None = None,
    adjustments: Adjustments | None = None,
    keep_profits: bool = False,
    keep_groups: bool = True,
    threads: int | None = None,
) -> ScenarioRisk:
    """Portfolio margin of every cross account of a book.

    Parameters
    ----------
    book : PositionBook
        Instruments, quantities and accounts; entry prices and wallets play no part. Isolated positions are
        left out.
    arrays : ScenarioArrays
        Profit of one long contract of each instrument in each scenario, and what nets with what.
    add_ons : ScenarioAddOns, optional
        Minimum charges, contingency, spread charges, offsets between groups, option values, initial ratio.
        What is absent is not charged.
    equity : mapping of account to amount, or array_like of shape (a,), settlement currency, optional
        Equity by ``book.account_ids`` without the value of the options in ``add_ons.option_value``:
        ``Engine.evaluate(...).accounts.equity``, or the cash after settlement. NaN or absent from the
        mapping: missing. Without it no ratio is computed.
    adjustments : mapping of (account, group) to amount, or array_like of shape (a, groups), optional
        Charges (+) and credits (-) that are computed elsewhere, as delivery charges or credits for spreads
        between groups; added to the scan risk. NaN: unknown, the account is incomplete.
    keep_profits : bool
        Whether to keep the profits of each account by scenario, for reports.
    keep_groups : bool
        Whether to keep the scan risk and the worst scenario of each account's groups. Without them a call
        takes a fifth less time and 32 bytes a group less.
    threads : int, optional
        Threads of this call, 1 to 256; any number gives the same bits.

    Returns
    -------
    ScenarioRisk
        By the accounts of the book.

    Raises
    ------
    ShapeError, DTypeError
        For arguments of the wrong kind or size.
    InputError
        For add-ons that name an instrument or a group that the arrays do not have, net instruments of several
        groups, or charge instruments that are netted differently.

    Notes
    -----
    With quantities q, profits P, groups g and scenarios s of an account::

        profit[g, s] = sum over the legs of g, in the order of rows, of q * P[instrument, s]
        scan_risk[g] = max(0, -min over s of profit[g, s])
        requirement  = sum over g of max(scan_risk[g] + charges[g], minimum[g])

    Groups that offset each other are one in the last two lines, see `GroupOffsets`. A row that cannot be
    evaluated makes its account incomplete, `ScenarioRisk.failures` says why.
    """
    inputs = compile_scenarios(book, arrays, add_ons, equity, adjustments)
    measures = measures_of(
        inputs.option_value is not None, inputs.initial_ratio is not None, inputs.equity is not None
    )
    results = np.empty((len(measures), inputs.accounts))
    status = np.empty(inputs.accounts, dtype=np.uint8)
    profits = np.empty((inputs.accounts, inputs.profits.shape[1])) if keep_profits else None
    threads = threads_of_call(threads, len(book))
    out = measures, results, status, profits, bool(keep_groups)
    found = core_scenario_margin(book.layout(), inputs, out, threads)
    return ScenarioRisk(book, arrays, measures, (results, status, *found, profits), has_groups=keep_groups)
