//! Portfolio margin by scenarios: the worst loss of an account over a grid of scenarios, and what is added to it.
//!
//! Instruments of one *group* net scenario by scenario. Groups of one *pool* offset each other: in each scenario losses count in full and
//! gains with a stated fraction. Pools do not offset each other; a group may be a pool of its own. The requirement of a pool is the
//! larger of its scan risk with its charges and its minimum; the requirement of an account is their sum.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::machine::execution::Execution;
use crate::memory;
use crate::scenarios::account::{AccountBlock, AccountScenarios};
use crate::scenarios::inputs::{AddOns, Legs, NO_ACCOUNT, ScenarioArrays};
use crate::scenarios::risk::BlockRisk;

/// Legs of a block that one thread evaluates, unless one account has more.
const BLOCK_LEGS: usize = 8_192;
/// Bytes of a group, a pool or a leg in the buffers of a thread.
const BYTES_OF_NAME: usize = 256;
/// Bytes of a scenario in them, beside the profits by group.
const BYTES_OF_SCENARIO: usize = 64;
/// Bytes of a block before its results.
const BYTES_OF_BLOCK: usize = 1_024;
/// Blocks of a thread between two looks at the interrupt.
const BLOCKS_BETWEEN_INTERRUPTS: usize = 64;

/// Evaluates every account of a book over the scenarios; the blocks returned hold all accounts in the order of their codes.
///
/// `keep_profits` asks for [`BlockRisk::profits`]. The result does not depend on the execution.
///
/// # Errors
///
/// [`Error::Length`] and [`Error::Code`] for inputs that do not fit each other, [`Error::Interrupted`], [`Error::Memory`], or
/// an [`Error::Threads`]. Rows that cannot be evaluated are no error: see [`RowStatus`](crate::scenarios::RowStatus).
pub fn scenario_margin(
    legs: &Legs<'_>,
    arrays: &ScenarioArrays<'_>,
    add_ons: &AddOns<'_>,
    keep_profits: bool,
    mut execution: Execution<'_>,
) -> Result<Vec<BlockRisk>> {
    let set = execution.set;
    check_arrays(arrays)?;
    check_add_ons(arrays, add_ons, legs.accounts)?;
    check_legs(legs, arrays)?;
    let ranges = legs_of_accounts(legs)?;
    let most_legs = ranges.iter().map(Range::len).max().unwrap_or(0);
    let names = arrays.group.len().saturating_add(arrays.pool.len()).saturating_add(most_legs);
    let of_thread =
        names.saturating_mul(BYTES_OF_NAME).saturating_add(arrays.scenarios.saturating_mul(BYTES_OF_SCENARIO));
    let of_blocks = (legs.accounts + legs.order.len() + BLOCK_LEGS) / BLOCK_LEGS * BYTES_OF_BLOCK;
    memory::room_for(execution.threads.max(1).saturating_mul(of_thread).saturating_add(of_blocks))?;
    let job = AccountScenarios::new(legs, arrays, add_ons, keep_profits, &ranges)?;
    let blocks = execution.run(
        account_blocks(&ranges),
        BLOCKS_BETWEEN_INTERRUPTS,
        || job.scratch(),
        |scratch, accounts| set.run(AccountBlock { job: &job, scratch, accounts }),
    )?;
    blocks.into_iter().collect()
}

/// Where the legs of each account stand in the order.
fn legs_of_accounts(legs: &Legs<'_>) -> Result<Vec<Range<usize>>> {
    let mut ranges = memory::filled(0..0, legs.accounts)?;
    let mut previous = NO_ACCOUNT;
    for (place, &row) in legs.order.iter().enumerate() {
        let Some(&code) = legs.account.get(row as usize) else {
            return Err(code_error("order", place, row, legs.account.len()));
        };
        if code == NO_ACCOUNT {
            previous = code;
            continue;
        }
        let Some(range) = ranges.get_mut(code as usize) else {
            return Err(code_error("account", row as usize, code, legs.accounts));
        };
        if code != previous {
            if range.end > 0 {
                // Its legs would be summed in two parts.
                return Err(code_error("order", place, row, legs.account.len()));
            }
            range.start = place;
        }
        range.end = place + 1;
        previous = code;
    }
    Ok(ranges)
}

/// Consecutive accounts with about [`BLOCK_LEGS`] legs.
fn account_blocks(ranges: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut blocks = Vec::new();
    let (mut first, mut legs) = (0, 0);
    for (code, range) in ranges.iter().enumerate() {
        // An account without legs is still something to do.
        legs += range.len().max(1);
        if legs >= BLOCK_LEGS {
            blocks.push(first..code + 1);
            (first, legs) = (code + 1, 0);
        }
    }
    if first < ranges.len() {
        blocks.push(first..ranges.len());
    }
    blocks
}

fn code_error(argument: &'static str, row: usize, found: u32, limit: usize) -> Error {
    Error::Code { argument, row, found: i64::from(found), limit }
}

fn check_length(argument: &'static str, expected: usize, found: usize) -> Result<()> {
    if expected == found { Ok(()) } else { Err(Error::Length { argument, expected, found }) }
}

fn check_codes(argument: &'static str, codes: &[u32], limit: usize) -> Result<()> {
    match codes.iter().position(|&code| code as usize >= limit) {
        Some(row) => Err(code_error(argument, row, codes[row], limit)),
        None => Ok(()),
    }
}

fn check_arrays(arrays: &ScenarioArrays<'_>) -> Result<()> {
    if arrays.scenarios == 0 {
        return Err(Error::Domain { argument: "scenarios", expected: "at least one", found: 0.0 });
    }
    check_length("profits", arrays.group.len() * arrays.scenarios, arrays.profits.len())?;
    check_codes("group", arrays.group, arrays.pool.len())?;
    check_codes("pool", arrays.pool, arrays.pool.len())?;
    check_length("offset", arrays.pool.len(), arrays.offset.len())
}

fn check_add_ons(arrays: &ScenarioArrays<'_>, add_ons: &AddOns<'_>, accounts: usize) -> Result<()> {
    let (instruments, groups) = (arrays.group.len(), arrays.pool.len());
    let spread = add_ons.spread.map(|(sizes, _)| sizes);
    let named = [("minimum", add_ons.minimum), ("contingency", add_ons.contingency), ("spread", spread)];
    for (argument, amounts) in named.into_iter().filter_map(|(name, amounts)| Some((name, amounts?))) {
        check_length(argument, instruments, amounts.set.len())?;
        check_length(argument, instruments, amounts.size.len())?;
        check_length(argument, amounts.group.len(), amounts.long.len())?;
        check_length(argument, amounts.group.len(), amounts.short.len())?;
        check_codes(argument, amounts.set, amounts.group.len())?;
        for (place, &set) in amounts.set.iter().enumerate() {
            if amounts.group[set as usize] != arrays.group[place] {
                return Err(code_error(argument, place, set, amounts.group.len()));
            }
        }
    }
    let columns = [
        ("spread", add_ons.spread.map(|(_, charge)| charge.len()), groups),
        ("adjustments", add_ons.adjustments.map(<[f64]>::len), accounts * groups),
        ("option_value", add_ons.option_value.map(<[f64]>::len), instruments),
        ("equity", add_ons.equity.map(<[f64]>::len), accounts),
    ];
    for (argument, found, expected) in columns {
        check_length(argument, expected, found.unwrap_or(expected))?;
    }
    Ok(())
}

fn check_legs(legs: &Legs<'_>, arrays: &ScenarioArrays<'_>) -> Result<()> {
    let rows = legs.quantity.len();
    check_length("instrument", rows, legs.instrument.len())?;
    check_length("account", rows, legs.account.len())?;
    check_length("order", rows, legs.order.len())?;
    check_codes("instrument", legs.instrument, legs.places.len())?;
    let instruments = arrays.group.len();
    match legs.places.iter().flatten().find(|&&place| place >= instruments) {
        Some(&found) => Err(Error::Length { argument: "places", expected: instruments, found: found + 1 }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::measures::ScenarioMeasure;
    use crate::machine::instruction_set::InstructionSet;

    const ARRAYS: ScenarioArrays<'_> =
        ScenarioArrays { profits: &[-3.0, 2.0], scenarios: 2, group: &[0], pool: &[0], offset: &[0.0] };

    fn legs<'a>(account: &'a [u32], order: &'a [u32], quantity: &'a [f64], accounts: usize) -> Legs<'a> {
        Legs { instrument: &[0; 3][..account.len()], quantity, account, order, places: &[Some(0)], accounts }
    }

    fn evaluate(legs: &Legs<'_>, threads: usize, interrupted: &mut dyn FnMut() -> bool) -> Result<Vec<BlockRisk>> {
        let execution = Execution { set: InstructionSet::Baseline, threads, interrupted };
        scenario_margin(legs, &ARRAYS, &AddOns::default(), false, execution)
    }

    #[test]
    fn the_worst_loss_is_required() {
        let legs = legs(&[1, NO_ACCOUNT, 1], &[0, 2, 1], &[1.0, 50.0, -3.0], 2);
        let risk = evaluate(&legs, 1, &mut || false).unwrap();
        // Two short: they lose 2 each as the price rises.
        assert_eq!(risk[0].measure(ScenarioMeasure::Requirement), [0.0, 4.0]);
        assert_eq!((risk[0].groups[0].account, risk[0].groups[0].worst_scenario), (1, 1));
    }

    #[test]
    fn an_interrupt_ends_the_call() {
        let legs = legs(&[], &[], &[], 2 * BLOCK_LEGS * BLOCKS_BETWEEN_INTERRUPTS);
        assert_eq!(evaluate(&legs, 1, &mut || true).unwrap_err(), Error::Interrupted);
        let blocks = evaluate(&legs, 1, &mut || false).unwrap();
        assert_eq!(blocks.last().map(|block| block.accounts.end), Some(legs.accounts));
    }

    #[test]
    fn an_account_in_two_parts_is_refused() {
        let refused = evaluate(&legs(&[0, 1, 0], &[0, 1, 2], &[1.0; 3], 2), 1, &mut || false);
        assert!(matches!(refused, Err(Error::Code { argument: "order", row: 2, .. })));
    }

    #[test]
    fn codes_outside_of_their_tables_are_refused() {
        let refused = evaluate(&legs(&[7], &[0], &[1.0], 2), 1, &mut || false);
        assert!(matches!(refused, Err(Error::Code { argument: "account", .. })));
        let refused = evaluate(&legs(&[0], &[9], &[1.0], 2), 1, &mut || false);
        assert!(matches!(refused, Err(Error::Code { argument: "order", .. })));
        let astray = Legs { places: &[Some(4)], ..legs(&[0], &[0], &[1.0], 2) };
        assert!(matches!(evaluate(&astray, 1, &mut || false), Err(Error::Length { argument: "places", .. })));
    }
}
