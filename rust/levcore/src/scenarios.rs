//! Portfolio margin by scenarios: the worst loss of an account over a grid of scenarios, and what is added to it.
//!
//! Instruments of one *group* net scenario by scenario. Groups of one *pool* offset each other: in each scenario losses count in full and
//! gains with a stated fraction. Pools do not offset each other; a group may be a pool of its own. The requirement of a pool is the
//! larger of its scan risk with its charges and its minimum; the requirement of an account is their sum.

use std::ops::Range;

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::instruction_set::InstructionSet;
use crate::scenario_account::{AccountBlock, AccountScenarios};
use crate::scenario_scratch::Scratch;
use crate::threads;

/// Account code of rows that belong to none.
pub const NO_ACCOUNT: u32 = u32::MAX;
/// Worst scenario of a group whose account is incomplete.
pub const NO_SCENARIO: u32 = u32::MAX;
/// Measures of an account, in the order of [`BlockRisk::measures`].
pub const MEASURES: [&str; 9] = [
    "scan_risk",
    "charges",
    "minimum",
    "requirement",
    "initial_margin",
    "net_option_value",
    "equity",
    "surplus",
    "margin_ratio",
];
/// Legs of a block that one thread evaluates, unless one account has more.
const BLOCK_LEGS: usize = 8_192;
/// Blocks of a thread between two looks at the interrupt.
const BLOCKS_BETWEEN_INTERRUPTS: usize = 64;

/// The legs of a book.
#[derive(Debug, Clone, Copy)]
pub struct Legs<'a> {
    /// Instrument of each row as a code of the book's.
    pub instrument: &'a [u32],
    /// Signed number of contracts of each row.
    pub quantity: &'a [f64],
    /// Account code of each row; [`NO_ACCOUNT`]: the row is not evaluated.
    pub account: &'a [u32],
    /// Every row once, those of an account next to each other, in the order in which they are summed.
    pub order: &'a [u32],
    /// Place of the book's instruments in the arrays; `None`: there is no array.
    pub places: &'a [Option<usize>],
    /// Number of accounts.
    pub accounts: usize,
}

/// Profit of one long contract of each instrument in each scenario, and what nets with what.
#[derive(Debug, Clone, Copy)]
pub struct ScenarioArrays<'a> {
    /// By instrument and scenario, the scenarios of an instrument next to each other.
    pub profits: &'a [f64],
    /// Scenarios of an instrument.
    pub scenarios: usize,
    /// Group of each instrument.
    pub group: &'a [u32],
    /// Pool of each group.
    pub pool: &'a [u32],
    /// Fraction of the gain of each group that counts against losses of other groups of its pool.
    pub offset: &'a [f64],
}

/// Amounts of money, or sizes, that grow with net positions. The net position of a set is the sum over its instruments of quantity times
/// size, in the order of the legs.
#[derive(Debug, Clone, Copy)]
pub struct NetAmounts<'a> {
    /// Set of each instrument; a set lies inside of one group.
    pub set: &'a [u32],
    /// Weight of each instrument in the net position of its set.
    pub size: &'a [f64],
    /// Group of each set.
    pub group: &'a [u32],
    /// Amount for a unit of each set's net position, where that is long.
    pub long: &'a [f64],
    /// The same, where it is short.
    pub short: &'a [f64],
}

/// What is added to the worst loss, and what it is compared with. Absent: not charged, not computed.
#[derive(Debug, Clone, Copy, Default)]
pub struct AddOns<'a> {
    /// Least requirement, by net position.
    pub minimum: Option<NetAmounts<'a>>,
    /// Charge by net position.
    pub contingency: Option<NetAmounts<'a>>,
    /// Sizes, and the charge of each group for a unit of size that is long against one that is short.
    pub spread: Option<(NetAmounts<'a>, &'a [f64])>,
    /// Charges (+) and credits (-) of the caller, by account and group.
    pub adjustments: Option<&'a [f64]>,
    /// Value of one long contract of instruments whose premium is paid; 0 for all others.
    pub option_value: Option<&'a [f64]>,
    /// Initial margin over requirement.
    pub initial_ratio: Option<f64>,
    /// Equity of each account without the value of its options.
    pub equity: Option<&'a [f64]>,
}

/// Scan risk of a group of an account.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupRisk {
    /// Account code.
    pub account: u32,
    /// Group code.
    pub group: u32,
    /// Worst loss of the group, 0 if it loses nowhere.
    pub scan_risk: f64,
    /// Scenario of it, the first one on a tie; [`NO_SCENARIO`] where the account is incomplete.
    pub worst_scenario: u32,
    /// Worst loss of the group's pool.
    pub pool_scan_risk: f64,
    /// Scenario of it.
    pub pool_worst_scenario: u32,
}

/// Results of consecutive accounts.
#[derive(Debug, Clone)]
pub struct BlockRisk {
    /// Accounts by code.
    pub accounts: Range<usize>,
    /// By measure in the order of [`MEASURES`] and account; NaN where not computed.
    pub measures: Vec<f64>,
    /// Codes of [`AccountStatus`](crate::scenario_status::AccountStatus).
    pub status: Vec<u8>,
    /// Groups by account; those of an account by pool, then by group.
    pub groups: Vec<GroupRisk>,
    /// Rows that failed, with their codes of [`RowStatus`](crate::scenario_status::RowStatus).
    pub failures: Vec<(u32, u8)>,
    /// Profit by account and scenario over all groups without offsets, if asked for.
    pub profits: Vec<f64>,
}

impl BlockRisk {
    /// One measure of the accounts here, by its place in [`MEASURES`].
    #[must_use]
    pub fn measure(&self, place: usize) -> &[f64] {
        &self.measures[place * self.accounts.len()..][..self.accounts.len()]
    }
}

impl GroupRisk {
    /// A group that has not been judged.
    pub(crate) fn unknown(account: usize, group: u32) -> Self {
        let (none, nowhere) = (f64::NAN, NO_SCENARIO);
        let account = account as u32;
        Self {
            account,
            group,
            scan_risk: none,
            worst_scenario: nowhere,
            pool_scan_risk: none,
            pool_worst_scenario: nowhere,
        }
    }
}

/// Evaluates every account of a book over the scenarios; the blocks returned hold all accounts in the order of their codes.
///
/// `keep_profits` asks for [`BlockRisk::profits`]; `interrupted` is asked now and then, from the calling thread, whether to stop. The
/// result does not depend on the number of threads or the instruction set.
///
/// # Errors
///
/// [`Error::Length`] and [`Error::Code`] for inputs that do not fit each other, [`Error::Interrupted`], or what [`threads::with_pool`]
/// returns. Rows that cannot be evaluated are no error: see [`RowStatus`](crate::scenario_status::RowStatus).
pub fn scenario_margin(
    legs: &Legs<'_>,
    arrays: &ScenarioArrays<'_>,
    add_ons: &AddOns<'_>,
    keep_profits: bool,
    instruction_set: InstructionSet,
    threads: usize,
    interrupted: &mut dyn FnMut() -> bool,
) -> Result<Vec<BlockRisk>> {
    check_arrays(arrays)?;
    check_add_ons(arrays, add_ons, legs.accounts)?;
    check_legs(legs, arrays)?;
    let ranges = legs_of_accounts(legs)?;
    let job = AccountScenarios::new(legs, arrays, add_ons, keep_profits, &ranges);
    let mut blocks = account_blocks(&ranges).into_iter();
    let threads = threads.clamp(1, blocks.len().max(1));
    let mut risk = Vec::with_capacity(blocks.len());
    loop {
        let batch: Vec<Range<usize>> = blocks.by_ref().take(BLOCKS_BETWEEN_INTERRUPTS * threads).collect();
        let evaluate = |scratch: &mut Scratch, accounts: Range<usize>| {
            instruction_set.run(AccountBlock { job: &job, scratch, accounts })
        };
        let mut done: Vec<BlockRisk> = if threads == 1 {
            let mut scratch = job.scratch();
            batch.into_iter().map(|accounts| evaluate(&mut scratch, accounts)).collect()
        } else {
            threads::with_pool(threads, || batch.into_par_iter().map_init(|| job.scratch(), evaluate).collect())?
        };
        risk.append(&mut done);
        if blocks.len() == 0 {
            return Ok(risk);
        }
        if interrupted() {
            return Err(Error::Interrupted);
        }
    }
}

/// Where the legs of each account stand in the order.
fn legs_of_accounts(legs: &Legs<'_>) -> Result<Vec<Range<usize>>> {
    let mut ranges = vec![0..0; legs.accounts];
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

    const ARRAYS: ScenarioArrays<'_> =
        ScenarioArrays { profits: &[-3.0, 2.0], scenarios: 2, group: &[0], pool: &[0], offset: &[0.0] };

    fn legs<'a>(account: &'a [u32], order: &'a [u32], quantity: &'a [f64], accounts: usize) -> Legs<'a> {
        Legs { instrument: &[0; 3][..account.len()], quantity, account, order, places: &[Some(0)], accounts }
    }

    fn evaluate(legs: &Legs<'_>, threads: usize, interrupted: &mut dyn FnMut() -> bool) -> Result<Vec<BlockRisk>> {
        scenario_margin(legs, &ARRAYS, &AddOns::default(), false, InstructionSet::Baseline, threads, interrupted)
    }

    #[test]
    fn the_worst_loss_is_required() {
        let legs = legs(&[1, NO_ACCOUNT, 1], &[0, 2, 1], &[1.0, 50.0, -3.0], 2);
        let risk = evaluate(&legs, 1, &mut || false).unwrap();
        // Two short: they lose 2 each as the price rises.
        assert_eq!(risk[0].measure(3), [0.0, 4.0]);
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
