//! A table of fills into positions, on the threads of a call.

use std::ops::Range;

use crate::codes::fills::FillStatus;
use crate::error::{Error, Result};
use crate::fills::ledger::Ledger;
use crate::formulas::contract::Contract;
use crate::machine::execution::Execution;

/// Positions that a thread makes at a time.
const POSITIONS_OF_TASK: usize = 1024;
/// Tasks of a thread between two looks at the interrupt.
const TASKS_BETWEEN_INTERRUPTS: usize = 32;
/// Number of measures of a position.
pub const FILL_MEASURES: usize = 7;

/// Fills as columns, and which of them make which position.
#[derive(Debug, Clone, Copy)]
pub struct Fills<'a> {
    /// Signed contracts: positive bought.
    pub quantity: &'a [f64],
    /// Price of the fill, quote per base.
    pub price: &'a [f64],
    /// Fee paid, in the settlement currency; negative: a rebate.
    pub fee: &'a [f64],
    /// Fills by position, in the order of time in each.
    pub order: &'a [u32],
    /// Where each position begins in `order`.
    pub starts: &'a [u32],
    /// Code of the instrument of each position.
    pub instrument: &'a [u32],
    /// By instrument; `None`: unknown.
    pub contracts: &'a [Option<Contract>],
    /// By instrument; NaN: missing.
    pub marks: &'a [f64],
}

/// A position as its fills have made it.
#[derive(Debug, Clone, Copy)]
pub struct FilledPosition {
    /// Quantity, entry price, realized profit, fees, unrealized profit, net profit (realized and unrealized less fees), break-even price.
    pub measures: [f64; FILL_MEASURES],
    /// What became of it.
    pub status: FillStatus,
    /// The fill at fault, if one is.
    pub fault: Option<u32>,
}

/// Positions that the fills make, in the order of `starts`.
///
/// # Errors
///
/// [`Error::Length`] or [`Error::Code`] for columns that do not fit each other, [`Error::Interrupted`], [`Error::Threads`].
pub fn positions_from_fills(fills: &Fills<'_>, mut execution: Execution<'_>) -> Result<Vec<FilledPosition>> {
    check(fills)?;
    let count = fills.starts.len();
    let tasks: Vec<Range<usize>> =
        (0..count).step_by(POSITIONS_OF_TASK).map(|first| first..count.min(first + POSITIONS_OF_TASK)).collect();
    let work = |(): &mut (), positions: Range<usize>| -> Vec<FilledPosition> {
        positions.map(|position| made(fills, position)).collect()
    };
    Ok(execution.run(tasks, TASKS_BETWEEN_INTERRUPTS, || (), work)?.concat())
}

/// The position that the fills of one number make.
fn made(fills: &Fills<'_>, position: usize) -> FilledPosition {
    let end = fills.starts.get(position + 1).map_or(fills.order.len(), |&end| end as usize);
    let rows = &fills.order[fills.starts[position] as usize..end];
    let code = fills.instrument[position] as usize;
    let Some(contract) = &fills.contracts[code] else {
        return failed(FillStatus::UnknownInstrument, None);
    };
    let (mut ledger, mut without_fee) = (Ledger::default(), None);
    for &row in rows {
        let (quantity, price, fee) = (fills.quantity[row as usize], fills.price[row as usize], fills.fee[row as usize]);
        if !quantity.is_finite() {
            return failed(FillStatus::InvalidQuantity, Some(row));
        }
        if quantity != 0.0 && !(price > 0.0 && price < f64::INFINITY) {
            return failed(FillStatus::InvalidPrice, Some(row));
        }
        if !fee.is_finite() && without_fee.is_none() {
            without_fee = Some(row);
        }
        ledger.fill(quantity, price, if fee.is_finite() { fee } else { f64::NAN }, contract);
    }
    finished(&ledger, contract, fills.marks[code], without_fee)
}

fn finished(ledger: &Ledger, contract: &Contract, mark: f64, without_fee: Option<u32>) -> FilledPosition {
    let open = ledger.quantity != 0.0;
    let marked = mark > 0.0 && mark < f64::INFINITY;
    let entry = if open { ledger.entry } else { f64::NAN };
    let unrealized = if marked || !open { ledger.unrealized(mark, contract) } else { f64::NAN };
    let fees = if without_fee.is_some() { f64::NAN } else { ledger.fees };
    let net = (ledger.realized + unrealized) - fees;
    let break_even = if without_fee.is_some() { f64::NAN } else { ledger.break_even(contract) };
    let overflow = !ledger.quantity.is_finite()
        || !ledger.realized.is_finite()
        || open && !(entry > 0.0 && entry < f64::INFINITY)
        || without_fee.is_none() && !fees.is_finite()
        || unrealized.is_infinite()
        || net.is_infinite();
    if overflow {
        return failed(FillStatus::NumericOverflow, None);
    }
    let status = if without_fee.is_some() {
        FillStatus::InvalidFee
    } else if !open {
        FillStatus::Flat
    } else if !marked {
        FillStatus::MissingMarkPrice
    } else {
        FillStatus::Ok
    };
    let measures = [ledger.quantity, entry, ledger.realized, fees, unrealized, net, break_even];
    FilledPosition { measures, status, fault: without_fee }
}

fn failed(status: FillStatus, fault: Option<u32>) -> FilledPosition {
    FilledPosition { measures: [f64::NAN; FILL_MEASURES], status, fault }
}

fn check(fills: &Fills<'_>) -> Result<()> {
    let rows = fills.quantity.len();
    for (argument, found) in [("price", fills.price.len()), ("fee", fills.fee.len()), ("order", fills.order.len())] {
        if found != rows {
            return Err(Error::Length { argument, expected: rows, found });
        }
    }
    let (positions, instruments) = (fills.starts.len(), fills.contracts.len());
    if fills.instrument.len() != positions {
        return Err(Error::Length { argument: "instrument", expected: positions, found: fills.instrument.len() });
    }
    if fills.marks.len() != instruments {
        return Err(Error::Length { argument: "marks", expected: instruments, found: fills.marks.len() });
    }
    check_codes("order", fills.order, rows)?;
    check_codes("starts", fills.starts, rows)?;
    check_codes("instrument", fills.instrument, instruments)?;
    let backward = fills.starts.windows(2).position(|pair| pair[0] > pair[1]);
    let Some(row) = backward else { return Ok(()) };
    Err(Error::Code {
        argument: "starts",
        row,
        found: i64::from(fills.starts[row]),
        limit: fills.starts[row + 1] as usize + 1,
    })
}

fn check_codes(argument: &'static str, codes: &[u32], limit: usize) -> Result<()> {
    match codes.iter().position(|&code| code as usize >= limit) {
        Some(row) => Err(Error::Code { argument, row, found: i64::from(codes[row]), limit }),
        None => Ok(()),
    }
}
