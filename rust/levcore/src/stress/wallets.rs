//! A book's cross accounts in all scenarios, some accounts at a time.

use std::ops::Range;

use crate::book::columns::Book;
use crate::book::layout::Layout;
use crate::error::{Error, Result};
use crate::job::context::{Job, PolicyAtMarks, PolicyPart};
use crate::job::outputs::Outputs;
use crate::machine::execution::Execution;
use crate::stress::accounts::{AccountsWork, Coordinates, Found};
use crate::stress::bins::{AMOUNTS, LongSum};
use crate::stress::legs::{LANES, Lanes};
use crate::stress::scenarios::Scenarios;
use crate::tiles::pass::Stage;

/// Tasks whose results are held at a time.
const TASKS_AT_ONCE: usize = 16;
/// Accounts of a task; their sums depend on it, not on the number of threads.
const ACCOUNTS_OF_A_TASK: usize = 1 << 10;

/// Where the results of cross accounts in scenarios go.
pub struct AccountStressOutputs<'a> {
    /// Currency after currency, in each equity, maintenance margin, shortfall and liquidated notional, each by scenario.
    pub totals: &'a mut [f64],
    /// Accounts that are liquidated, by scenario.
    pub accounts: &'a mut [i64],
    /// Positions of theirs, by scenario.
    pub liquidated: &'a mut [i64],
    /// Positions that could not be judged, by scenario.
    pub not_judged: &'a mut [i64],
    /// By account: the scenario of its lowest equity, that equity, and in how many scenarios it is liquidated.
    pub worst_scenario: &'a mut [i64],
    /// As above.
    pub worst_equity: &'a mut [f64],
    /// As above.
    pub liquidations: &'a mut [i64],
}

/// Where the amounts of rows and accounts are added up.
#[derive(Debug, Clone, Copy)]
pub struct Currencies<'a> {
    /// Place of each instrument's settlement currency, policy after policy.
    pub of_instruments: &'a [usize],
    /// The same of each account's wallet, by its code; negative: none.
    pub of_accounts: &'a [i64],
    /// Number of currencies.
    pub count: usize,
}

/// Evaluates the cross accounts of a book in all scenarios; whether that could be done: it cannot where any is settled as one whole, and
/// the outputs are then as they were.
///
/// # Errors
///
/// [`Error::Length`] for columns that do not fit each other, and as [`evaluate`](crate::evaluate()).
pub fn stress_accounts(
    book: &Book<'_>,
    layout: &Layout,
    policies: &[PolicyAtMarks<'_>],
    scenarios: &Scenarios<'_>,
    currencies: &Currencies<'_>,
    mut outputs: AccountStressOutputs<'_>,
    mut execution: Execution<'_>,
) -> Result<bool> {
    book.check()?;
    let instruments = policies.first().map_or(0, |given| given.places.len());
    scenarios.check(policies.len(), instruments)?;
    check(book, policies.len() * instruments, scenarios, currencies, &outputs)?;
    if layout.has_pooled_accounts() {
        return Ok(false);
    }
    let (coordinates, lowest) = coordinates_of(policies, scenarios, instruments);
    let parts: Vec<PolicyPart<'_>> = policies
        .iter()
        .zip(lowest.chunks(instruments.max(1)))
        .map(|(given, marks)| PolicyPart::new(&PolicyAtMarks { marks, ..*given }))
        .collect();
    let nothing = Outputs::none();
    let job = Job::of_rows(book, layout, &nothing);
    let rows_of_legs = layout.rows_of_legs()?;
    let mut sums = vec![LongSum::default(); outputs.totals.len()];
    let tasks: Vec<_> = tasks_of(layout);
    for some in tasks.chunks(TASKS_AT_ONCE) {
        let set = execution.set;
        let work = |stage: &mut Box<Stage>, (policy, accounts): (usize, Range<usize>)| {
            set.run(AccountsWork {
                job: &job,
                part: &parts[policy],
                policy,
                accounts,
                rows_of_legs: &rows_of_legs,
                coordinates: &coordinates,
                currencies: currencies.of_instruments,
                of_account: currencies.of_accounts,
                currency_count: currencies.count,
                count: scenarios.count,
                stage,
            })
        };
        for found in execution.run(some.to_vec(), some.len(), || Box::new(Stage::new()), work)? {
            outputs.take(&found, &mut sums, scenarios.count);
        }
        if (execution.interrupted)() {
            return Err(Error::Interrupted);
        }
    }
    outputs.totals.iter_mut().zip(&sums).for_each(|(total, sum)| *total = sum.value());
    Ok(true)
}

impl AccountStressOutputs<'_> {
    /// Adds what some accounts become.
    fn take(&mut self, found: &Found, sums: &mut [LongSum], count: usize) {
        for (number, group) in found.groups.iter().enumerate() {
            for (lane, scenario) in (number * LANES..count).take(LANES).enumerate() {
                self.accounts[scenario] += group.accounts.numbers()[lane] as i64;
                self.liquidated[scenario] += group.liquidated.numbers()[lane] as i64;
                self.not_judged[scenario] += group.not_judged.numbers()[lane] as i64;
                for (currency, totals) in group.totals.iter().enumerate() {
                    for (amount, sum) in totals.iter().flat_map(|totals| totals.iter().enumerate()) {
                        sums[(currency * AMOUNTS + amount) * count + scenario].merge(&sum.at(lane));
                    }
                }
            }
        }
        for worst in &found.worst {
            let code = worst.code as usize;
            self.worst_scenario[code] = worst.scenario;
            self.worst_equity[code] = worst.equity;
            self.liquidations[code] = worst.liquidations;
        }
    }
}

fn check(
    book: &Book<'_>,
    pairs: usize,
    scenarios: &Scenarios<'_>,
    currencies: &Currencies<'_>,
    outputs: &AccountStressOutputs<'_>,
) -> Result<()> {
    let (accounts, count) = (book.wallet_balance.len(), scenarios.count);
    let lengths = [
        ("currencies", pairs, currencies.of_instruments.len()),
        ("currencies", accounts, currencies.of_accounts.len()),
        ("out", currencies.count * AMOUNTS * count, outputs.totals.len()),
        ("out", count, outputs.accounts.len()),
        ("out", count, outputs.liquidated.len()),
        ("out", count, outputs.not_judged.len()),
        ("out", accounts, outputs.worst_scenario.len()),
        ("out", accounts, outputs.worst_equity.len()),
        ("out", accounts, outputs.liquidations.len()),
    ];
    for (argument, expected, found) in lengths {
        if expected != found {
            return Err(Error::Length { argument, expected, found });
        }
    }
    let limit = currencies.count;
    let of_accounts = currencies.of_accounts.iter().filter_map(|&place| usize::try_from(place).ok());
    let mut places = currencies.of_instruments.iter().copied().chain(of_accounts);
    match places.find(|&place| place >= limit) {
        Some(place) => {
            let found = i64::try_from(place).unwrap_or(i64::MAX);
            Err(Error::Code { argument: "currencies", row: 0, found, limit })
        }
        None => Ok(()),
    }
}

/// Accounts of one policy at a time.
fn tasks_of(layout: &Layout) -> Vec<(usize, Range<usize>)> {
    let together = layout.blocks.iter().filter(|block| block.cross).map(|block| (block.policy, &block.accounts));
    let apart = layout.account_ranges.iter().map(|range| (range.policy, &range.accounts));
    let mut tasks = Vec::new();
    for (policy, accounts) in together.chain(apart) {
        for first in accounts.clone().step_by(ACCOUNTS_OF_A_TASK) {
            tasks.push((policy, first..accounts.end.min(first + ACCOUNTS_OF_A_TASK)));
        }
    }
    tasks
}

/// Coordinates of all pairs of policy and instrument, and a price at the lowest of each; NaN where there is none.
fn coordinates_of(
    policies: &[PolicyAtMarks<'_>],
    scenarios: &Scenarios<'_>,
    instruments: usize,
) -> (Coordinates, Vec<f64>) {
    let pairs = policies.len() * instruments;
    // One more, for legs without exposure.
    let mut groups = vec![vec![Lanes::all(1.0); pairs + 1]; scenarios.count.div_ceil(LANES)];
    let mut range = vec![(f64::INFINITY, f64::NEG_INFINITY); pairs + 1];
    let mut lowest = vec![f64::NAN; pairs];
    for pair in 0..pairs {
        let (policy, instrument) = (pair / instruments, pair % instruments);
        let given = &policies[policy];
        let Some(known) = given.places[instrument].map(|place| &given.policy.instruments[place]) else { continue };
        for (scenario, price) in scenarios.prices_of(policy, instrument, instruments).enumerate() {
            let valid = price > 0.0 && price < f64::INFINITY;
            let coordinate = if valid { known.contract.coordinate(price) } else { f64::NAN };
            groups[scenario / LANES][pair].numbers_mut()[scenario % LANES] = coordinate;
            if coordinate < range[pair].0 {
                (range[pair].0, lowest[pair]) = (coordinate, price);
            }
            if coordinate > range[pair].1 {
                range[pair].1 = coordinate;
            }
        }
    }
    (Coordinates { groups, range }, lowest)
}
