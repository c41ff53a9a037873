//! A book's isolated positions in all scenarios, instrument by instrument.

use std::ops::Range;

use crate::book::blocks::Rows;
use crate::book::columns::Book;
use crate::book::layout::Layout;
use crate::codes::measures::ByMeasure;
use crate::error::{Error, Result};
use crate::job::context::{Job, PolicyAtMarks, PolicyPart};
use crate::job::outputs::{AccountOutputs, BalanceOutputs, Outputs};
use crate::machine::execution::Execution;
use crate::machine::shared::SharedSlice;
use crate::stress::bins::{AMOUNTS, Bins, LongSum, Number};
use crate::stress::isolated::{OfRows, RowsOfInstrument, follow_all};
use crate::stress::scenarios::{Scenarios, Steps};

/// Rows that one thread follows at a time; sums depend on it, not on the number of threads.
const ROWS_OF_A_TASK: usize = 1 << 15;
/// Tasks whose bins are held at a time.
const TASKS_AT_ONCE: usize = 32;

/// Where the results of isolated positions in scenarios go.
pub struct StressOutputs<'a> {
    /// Currency after currency, in each equity, maintenance margin, shortfall and liquidated notional, each by scenario.
    pub totals: &'a mut [f64],
    /// Positions that are liquidated, by scenario.
    pub liquidated: &'a mut [i64],
    /// Positions that could not be judged, by scenario.
    pub not_judged: &'a mut [i64],
    /// By row: the scenario of its lowest equity, that equity, in how many scenarios it is liquidated, and whether all of this is so.
    pub worst_scenario: &'a mut [i64],
    /// As above.
    pub worst_equity: &'a mut [f64],
    /// As above.
    pub liquidations: &'a mut [i64],
    /// As above: rows that no lines give, cross rows among them, are left to a full evaluation and are in no total.
    pub done: &'a mut [bool],
}

/// Isolated rows of one instrument under one policy.
pub(crate) struct Group {
    pub policy: usize,
    pub instrument: usize,
    pub rows: Range<usize>,
    pub currency: usize,
    /// `None` where the instrument is not known or any of its prices is none.
    pub steps: Option<Steps>,
}

/// Evaluates the isolated positions of a book in all scenarios.
///
/// `currencies` has the place of each instrument's settlement currency, policy after policy.
///
/// # Errors
///
/// [`Error::Length`] for columns that do not fit each other, and as [`evaluate`](crate::evaluate()).
pub fn stress_isolated(
    book: &Book<'_>,
    layout: &Layout,
    policies: &[PolicyAtMarks<'_>],
    scenarios: &Scenarios<'_>,
    currencies: &[usize],
    outputs: StressOutputs<'_>,
    mut execution: Execution<'_>,
) -> Result<()> {
    book.check()?;
    let instruments = policies.first().map_or(0, |given| given.places.len());
    scenarios.check(policies.len(), instruments)?;
    let needed = currencies.iter().max().map_or(0, |last| (last + 1) * AMOUNTS * scenarios.count);
    outputs.check(book.rows(), scenarios.count, needed)?;
    if currencies.len() != policies.len() * instruments {
        let (expected, found) = (policies.len() * instruments, currencies.len());
        return Err(Error::Length { argument: "currencies", expected, found });
    }
    outputs.done.fill(false);
    let (rows, groups) = groups_of(book, layout, policies, scenarios, currencies);
    let lowest = lowest_marks(&groups, policies.len(), instruments);
    let parts: Vec<PolicyPart<'_>> = policies
        .iter()
        .zip(lowest.chunks(instruments.max(1)))
        .map(|(given, marks)| PolicyPart::new(&PolicyAtMarks { marks, ..*given }))
        .collect();
    let (mut state, mut status) = (vec![0; book.rows()], vec![0; book.rows()]);
    let codes =
        Outputs::new(ByMeasure::none(), &mut state, &mut status, AccountOutputs::none(), BalanceOutputs::none());
    let job = Job::of_rows(book, layout, &codes);
    let of_rows = OfRows {
        scenario: SharedSlice::new(outputs.worst_scenario),
        equity: SharedSlice::new(outputs.worst_equity),
        liquidations: SharedSlice::new(outputs.liquidations),
        done: SharedSlice::new(outputs.done),
    };
    let mut sums = Sums {
        totals: vec![LongSum::default(); outputs.totals.len()],
        liquidated: outputs.liquidated,
        not_judged: outputs.not_judged,
    };
    let mut tasks = groups.iter().enumerate().flat_map(|(number, group)| tasks_of(number, group, &rows, &parts));
    let (mut current, mut whole) = (usize::MAX, Bins::new(0));
    loop {
        let some: Vec<_> = tasks.by_ref().take(TASKS_AT_ONCE).collect();
        let of_groups: Vec<usize> = some.iter().map(|(group, _)| *group).collect();
        let some: Vec<_> = some.into_iter().map(|(_, task)| task).collect();
        if some.is_empty() {
            break;
        }
        let found = follow_all(&job, some, &of_rows, &mut execution)?;
        for (group, bins) in of_groups.into_iter().zip(found) {
            if group == current {
                whole.0.iter_mut().zip(&bins.0).for_each(|(bin, more)| bin.merge(more));
            } else {
                sums.take(std::mem::replace(&mut whole, bins), groups.get(current));
                current = group;
            }
        }
        if (execution.interrupted)() {
            return Err(Error::Interrupted);
        }
    }
    sums.take(whole, groups.get(current));
    outputs.totals.iter_mut().zip(&sums.totals).for_each(|(total, sum)| *total = sum.value());
    Ok(())
}

/// Sums by scenario.
struct Sums<'a> {
    totals: Vec<LongSum>,
    liquidated: &'a mut [i64],
    not_judged: &'a mut [i64],
}

impl Sums<'_> {
    /// Adds what goes on at the steps of an instrument, if it is one.
    fn take(&mut self, mut bins: Bins, group: Option<&Group>) {
        let Some((steps, currency)) = group.and_then(|group| Some((group.steps.as_ref()?, group.currency))) else {
            return;
        };
        bins.accumulate();
        let count = self.liquidated.len();
        for (scenario, &step) in steps.of_scenario.iter().enumerate() {
            let (bin, coordinate) = (&bins.0[step as usize], steps.coordinate[step as usize]);
            for amount in 0..AMOUNTS {
                bin.add_to(&mut self.totals[(currency * AMOUNTS + amount) * count + scenario], amount, coordinate);
            }
            self.liquidated[scenario] += bin.number(Number::Liquidated);
            self.not_judged[scenario] += bin.number(Number::NotJudged);
        }
    }
}

impl StressOutputs<'_> {
    fn check(&self, rows: usize, scenarios: usize, totals: usize) -> Result<()> {
        if self.totals.len() < totals {
            return Err(Error::Length { argument: "out", expected: totals, found: self.totals.len() });
        }
        let by_row = [self.worst_scenario.len(), self.worst_equity.len(), self.liquidations.len(), self.done.len()];
        let by_scenario = [self.liquidated.len(), self.not_judged.len()];
        let lengths = by_row.map(|found| (rows, found)).into_iter().chain(by_scenario.map(|found| (scenarios, found)));
        for (expected, found) in lengths {
            if expected != found {
                return Err(Error::Length { argument: "out", expected, found });
            }
        }
        Ok(())
    }
}

/// Isolated rows by policy and instrument, and what each such group needs.
pub(crate) fn groups_of(
    book: &Book<'_>,
    layout: &Layout,
    policies: &[PolicyAtMarks<'_>],
    scenarios: &Scenarios<'_>,
    currencies: &[usize],
) -> (Vec<u32>, Vec<Group>) {
    let instruments = policies.first().map_or(0, |given| given.places.len());
    let (rows, starts) = rows_by_pair(book, layout, policies.len(), instruments);
    let pairs = starts.windows(2).enumerate().filter(|(_, range)| range[0] < range[1]);
    let groups = pairs
        .map(|(pair, range)| {
            let (policy, instrument) = (pair / instruments, pair % instruments);
            let steps = steps_of(policy, instrument, policies, scenarios);
            Group { policy, instrument, rows: range[0]..range[1], currency: currencies[pair], steps }
        })
        .collect();
    (rows, groups)
}

/// Isolated rows by policy and instrument, in their order, and where the rows of each such pair start.
fn rows_by_pair(book: &Book<'_>, layout: &Layout, policies: usize, instruments: usize) -> (Vec<u32>, Vec<usize>) {
    let mut starts = vec![0; policies * instruments + 1];
    let key = |policy: usize, row: usize| policy * instruments + book.instrument[row] as usize;
    each_isolated(layout, |policy, row| starts[key(policy, row) + 1] += 1);
    for place in 1..starts.len() {
        starts[place] += starts[place - 1];
    }
    let mut free = starts.clone();
    let mut rows = vec![0; starts[policies * instruments]];
    each_isolated(layout, |policy, row| {
        let place = &mut free[key(policy, row)];
        rows[*place] = row as u32;
        *place += 1;
    });
    (rows, starts)
}

/// Tasks of a group, with its number.
fn tasks_of<'a>(
    number: usize,
    group: &'a Group,
    rows: &'a [u32],
    parts: &'a [PolicyPart<'a>],
) -> impl Iterator<Item = (usize, RowsOfInstrument<'a>)> {
    let known = group.steps.iter();
    known.flat_map(move |steps| {
        let chunks = rows[group.rows.clone()].chunks(ROWS_OF_A_TASK);
        chunks.map(move |rows| (number, RowsOfInstrument { part: &parts[group.policy], steps, rows }))
    })
}

fn each_isolated(layout: &Layout, mut found: impl FnMut(usize, usize)) {
    for block in layout.blocks.iter().filter(|block| !block.cross) {
        match &block.rows {
            Rows::Range(range) => range.clone().for_each(|row| found(block.policy, row)),
            Rows::Listed(range) => {
                layout.listed[range.clone()].iter().for_each(|&row| found(block.policy, row as usize));
            }
        }
    }
}

pub(crate) fn steps_of(
    policy: usize,
    instrument: usize,
    policies: &[PolicyAtMarks<'_>],
    scenarios: &Scenarios<'_>,
) -> Option<Steps> {
    let given = &policies[policy];
    let contract = &given.policy.instruments[given.places[instrument]?].contract;
    scenarios.steps(policy, instrument, given.places.len(), contract)
}

/// Marks at the lowest step of each instrument, policy after policy; NaN where there is none.
pub(crate) fn lowest_marks(groups: &[Group], policies: usize, instruments: usize) -> Vec<f64> {
    let mut marks = vec![f64::NAN; policies * instruments];
    for group in groups {
        if let Some(steps) = &group.steps {
            marks[group.policy * instruments + group.instrument] = steps.lowest_price;
        }
    }
    marks
}
