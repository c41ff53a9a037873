//! Portfolio margin by scenarios: the worst loss of an account over a grid of scenarios, and what is added to it.
//!
//! Instruments of one *group* net scenario by scenario. Groups of one *pool* offset each other: in each scenario losses count in full and
//! gains with a stated fraction. Pools do not offset each other; a group may be a pool of its own. The requirement of a pool is the
//! larger of its scan risk with its charges and its minimum; the requirement of an account is their sum.

use std::ops::Range;

use crate::book::rows_by_account::RowsByAccount;
use crate::error::{Error, Result};
use crate::machine::execution::Execution;
use crate::memory;
use crate::scenarios::account::{AccountBlock, AccountScenarios};
use crate::scenarios::inputs::{AddOns, Legs, ScenarioArrays};
use crate::scenarios::outputs::ScenarioOutputs;
use crate::scenarios::risk::ScenarioFindings;

/// Legs of a block that one thread evaluates, unless one account has more.
const BLOCK_LEGS: usize = 8_192;
/// Bytes of a group, a pool or a leg in the buffers of a thread.
const BYTES_OF_NAME: usize = 256;
/// Bytes of a scenario in them, and of four groups in it while their buffer grows.
const BYTES_OF_SCENARIO: usize = 64;
/// Bytes of a block before its results.
const BYTES_OF_BLOCK: usize = 1_024;
/// Blocks of a thread between two looks at the interrupt. What they find is put together then, while it is in the cache.
const BLOCKS_BETWEEN_INTERRUPTS: usize = 8;

/// Evaluates every account of a book over the scenarios.
///
/// Measures, status and profits go to `outputs`, groups and failures are returned. The result does not depend on the execution.
///
/// # Errors
///
/// [`Error::Length`] and [`Error::Code`] for inputs that do not fit each other, [`Error::Interrupted`], [`Error::Memory`], or
/// an [`Error::Threads`]. Rows that cannot be evaluated are no error: see [`RowStatus`](crate::scenarios::RowStatus).
pub fn scenario_margin(
    legs: &Legs<'_>,
    arrays: &ScenarioArrays<'_>,
    add_ons: &AddOns<'_>,
    outputs: &ScenarioOutputs<'_>,
    mut execution: Execution<'_>,
) -> Result<ScenarioFindings> {
    let (set, accounts) = (execution.set, legs.rows.accounts());
    check_arrays(arrays)?;
    check_add_ons(arrays, add_ons, accounts)?;
    check_legs(legs, arrays)?;
    outputs.check(accounts, arrays.scenarios)?;
    let legs_of_accounts = (0..accounts).map(|account| legs.rows.of(account).len());
    let most_legs = legs_of_accounts.clone().max().unwrap_or(0);
    let names = arrays.group.len().saturating_add(arrays.pool.len()).saturating_add(most_legs);
    let groups = if add_ons.adjustments.is_some() { arrays.pool.len() } else { most_legs.min(arrays.pool.len()) };
    let of_scenarios = arrays.scenarios.saturating_mul(BYTES_OF_SCENARIO).saturating_mul(1 + groups / 4);
    let of_thread = names.saturating_mul(BYTES_OF_NAME).saturating_add(of_scenarios);
    let of_blocks = (accounts + legs.rows.rows() + BLOCK_LEGS) / BLOCK_LEGS * BYTES_OF_BLOCK;
    memory::room_for(execution.threads.max(1).saturating_mul(of_thread).saturating_add(of_blocks))?;
    let job = AccountScenarios::new(legs, arrays, add_ons, outputs)?;
    let most_groups = match add_ons.adjustments {
        Some(adjustments) => adjustments.len(),
        None => legs_of_accounts.map(|legs| legs.min(arrays.pool.len())).sum(),
    };
    let mut findings = ScenarioFindings::with_room(if outputs.keeps_groups() { most_groups } else { 0 })?;
    let mut blocks = account_blocks(legs.rows).into_iter();
    loop {
        let some: Vec<_> = blocks.by_ref().take(BLOCKS_BETWEEN_INTERRUPTS * execution.threads.max(1)).collect();
        let found = execution.run(
            some,
            BLOCKS_BETWEEN_INTERRUPTS,
            || job.memory(),
            |memory, accounts| set.run(AccountBlock { job: &job, memory, accounts }),
        )?;
        let found = found.into_iter().collect::<Result<Vec<_>>>()?;
        findings.add(&found, &mut execution)?;
        if blocks.len() == 0 {
            findings.end();
            return Ok(findings);
        }
        if (execution.interrupted)() {
            return Err(Error::Interrupted);
        }
    }
}

/// Consecutive accounts with about [`BLOCK_LEGS`] legs.
fn account_blocks(rows: &RowsByAccount) -> Vec<Range<usize>> {
    let mut blocks = Vec::new();
    let (mut first, mut legs) = (0, 0);
    for code in 0..rows.accounts() {
        // An account without legs is still something to do.
        legs += rows.of(code).len().max(1);
        if legs >= BLOCK_LEGS {
            blocks.push(first..code + 1);
            (first, legs) = (code + 1, 0);
        }
    }
    if first < rows.accounts() {
        blocks.push(first..rows.accounts());
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
    check_length("account", rows, legs.rows.rows())?;
    let instruments = arrays.group.len();
    match legs.places.iter().flatten().find(|&&place| place >= instruments) {
        Some(&found) => Err(Error::Length { argument: "places", expected: instruments, found: found + 1 }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::rows_by_account::NO_ACCOUNT;
    use crate::codes::measures::ScenarioMeasure;
    use crate::machine::instruction_set::InstructionSet;

    const ARRAYS: ScenarioArrays<'_> =
        ScenarioArrays { profits: &[-3.0, 2.0], scenarios: 2, group: &[0], pool: &[0], offset: &[0.0] };

    fn evaluate(legs: &Legs<'_>, interrupted: &mut dyn FnMut() -> bool) -> Result<(Vec<f64>, ScenarioFindings)> {
        let accounts = legs.rows.accounts();
        let (mut requirement, mut status) = (vec![77.0; accounts], vec![77; accounts]);
        let mut columns = [const { None }; ScenarioMeasure::COUNT];
        columns[ScenarioMeasure::Requirement as usize] = Some(&mut requirement[..]);
        let outputs = ScenarioOutputs::new(columns, &mut status, None);
        let execution = Execution { set: InstructionSet::Baseline, threads: 1, interrupted };
        let findings = scenario_margin(legs, &ARRAYS, &AddOns::default(), &outputs, execution)?;
        Ok((requirement, findings))
    }

    #[test]
    fn the_worst_loss_is_required() {
        let rows = RowsByAccount::new(&[1, NO_ACCOUNT, 1], 2).unwrap();
        let legs = Legs { instrument: &[0; 3], quantity: &[1.0, 50.0, -3.0], rows: &rows, places: &[Some(0)] };
        let (requirement, findings) = evaluate(&legs, &mut || false).unwrap();
        // Two short: they lose 2 each as the price rises.
        assert_eq!(requirement, [0.0, 4.0]);
        assert_eq!((findings.account, findings.worst_scenario), (vec![1], vec![1]));
    }

    #[test]
    fn an_interrupt_ends_the_call() {
        let accounts = 2 * BLOCK_LEGS * BLOCKS_BETWEEN_INTERRUPTS;
        let rows = RowsByAccount::new(&[], accounts).unwrap();
        let legs = Legs { instrument: &[], quantity: &[], rows: &rows, places: &[] };
        assert_eq!(evaluate(&legs, &mut || true).unwrap_err(), Error::Interrupted);
        let (requirement, _) = evaluate(&legs, &mut || false).unwrap();
        assert_eq!(requirement, vec![0.0; accounts]);
    }

    #[test]
    fn codes_outside_of_their_tables_are_refused() {
        let rows = RowsByAccount::new(&[0], 1).unwrap();
        let legs = Legs { instrument: &[1], quantity: &[1.0], rows: &rows, places: &[Some(0)] };
        assert!(matches!(evaluate(&legs, &mut || false), Err(Error::Code { argument: "instrument", row: 0, .. })));
        let astray = Legs { instrument: &[0], places: &[Some(4)], ..legs };
        assert!(matches!(evaluate(&astray, &mut || false), Err(Error::Length { argument: "places", .. })));
    }
}
