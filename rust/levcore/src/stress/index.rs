//! Isolated positions sorted by what becomes of them, once, for any number of scenarios later.
//!
//! # Formula
//!
//! The lines of every position begin and end at coordinates of its own, found to the last bit by the formulas that evaluate it; sorted and
//! summed up they give any scenario after a search in each instrument: `O(s i log n)`. Near the zero of its surplus, where rounding may turn
//! a position's verdict several times, it is evaluated at the very coordinate.

use std::ops::Range;

use crate::book::columns::Book;
use crate::book::layout::Layout;
use crate::codes::measures::ByMeasure;
use crate::error::{Error, Result};
use crate::job::context::{Job, PolicyAtMarks, PolicyPart};
use crate::job::outputs::{AccountOutputs, BalanceOutputs, Outputs};
use crate::machine::execution::Execution;
use crate::machine::instruction_set::InstructionSet;
use crate::machine::shared::SharedSlice;
use crate::machine::vector::prefetch;
use crate::rules::tables::ROWS;
use crate::stress::bins::{AMOUNTS, Amount, Line, Lines, LongSum};
use crate::stress::grid::{Group, groups_of, lowest_marks};
use crate::stress::isolated::{RowWork, position_in};
use crate::stress::ladder::{Draft, Ladders, Sums};
use crate::stress::placed::{Zone, place};
use crate::stress::scenarios::{Scenarios, Steps};
use crate::stress::sorted::Sorted;
use crate::tiles::pass::Stage;

/// Isolated rows of one instrument under one policy.
struct Market {
    policy: usize,
    instrument: usize,
    currency: usize,
    ends: (f64, f64),
    ladders: Ladders,
    /// Where zones begin, and these.
    begins: Sorted,
    zones: Vec<Zone>,
    /// Highest end of the zones up to each.
    reach: Vec<f64>,
}

/// Isolated positions of a book, sorted.
pub struct StressIndex {
    markets: Vec<Market>,
    /// Marks at the lowest coordinates, policy after policy.
    lowest: Vec<f64>,
    currencies: usize,
}

/// Where the sums of an index go.
pub struct IndexOutputs<'a> {
    /// Currency after currency, in each equity, maintenance margin, shortfall and liquidated notional, each by scenario.
    pub totals: &'a mut [f64],
    /// Positions that are liquidated, by scenario.
    pub liquidated: &'a mut [i64],
    /// Positions that could not be judged, by scenario.
    pub not_judged: &'a mut [i64],
}

impl StressIndex {
    /// Sorts the isolated positions of a book for prices between those of two scenarios; the others are left out, and not `done`.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] for columns that do not fit each other, and as [`evaluate`](crate::evaluate()).
    pub fn new(
        book: &Book<'_>,
        layout: &Layout,
        policies: &[PolicyAtMarks<'_>],
        range: &Scenarios<'_>,
        currencies: &[usize],
        done: &mut [bool],
        mut execution: Execution<'_>,
    ) -> Result<Self> {
        book.check()?;
        let instruments = policies.first().map_or(0, |given| given.places.len());
        range.check(policies.len(), instruments)?;
        for (argument, expected, found) in [
            ("currencies", policies.len() * instruments, currencies.len()),
            ("done", book.rows(), done.len()),
            ("range", 2, range.count),
        ] {
            if expected != found {
                return Err(Error::Length { argument, expected, found });
            }
        }
        let (rows, groups) = groups_of(book, layout, policies, range, currencies);
        let lowest = lowest_marks(&groups, policies.len(), instruments);
        let parts = parts_at(policies, &lowest);
        let (mut state, mut status) = (vec![0; book.rows()], vec![0; book.rows()]);
        let codes =
            Outputs::new(ByMeasure::none(), &mut state, &mut status, AccountOutputs::none(), BalanceOutputs::none());
        let job = Job::of_rows(book, layout, &codes);
        let (set, done) = (execution.set, SharedSlice::new(done));
        let markets = execution.run(
            groups,
            1,
            || Box::new(Stage::new()),
            |stage, group| {
                let rows = &rows[group.rows.clone()];
                sorted(&job, &parts[group.policy], &group, rows, &done, stage, set)
            },
        )?;
        let currencies = currencies.iter().max().map_or(0, |last| last + 1);
        Ok(Self { markets: markets.into_iter().flatten().collect(), lowest, currencies })
    }

    /// Adds up the positions in every scenario.
    ///
    /// # Errors
    ///
    /// [`Error::Domain`] for a price outside of the range of the index, [`Error::Length`] for columns that do not fit each other.
    pub fn sums(
        &self,
        book: &Book<'_>,
        layout: &Layout,
        policies: &[PolicyAtMarks<'_>],
        scenarios: &Scenarios<'_>,
        outputs: IndexOutputs<'_>,
        mut execution: Execution<'_>,
    ) -> Result<()> {
        let instruments = policies.first().map_or(0, |given| given.places.len());
        scenarios.check(policies.len(), instruments)?;
        let needed = self.currencies * AMOUNTS * scenarios.count;
        for (argument, expected, found) in [
            ("out", needed, outputs.totals.len()),
            ("out", scenarios.count, outputs.liquidated.len()),
            ("out", scenarios.count, outputs.not_judged.len()),
            ("marks", self.lowest.len(), policies.len() * instruments),
        ] {
            if expected != found {
                return Err(Error::Length { argument, expected, found });
            }
        }
        let parts = parts_at(policies, &self.lowest);
        let (mut state, mut status) = (vec![0; book.rows()], vec![0; book.rows()]);
        let codes =
            Outputs::new(ByMeasure::none(), &mut state, &mut status, AccountOutputs::none(), BalanceOutputs::none());
        let job = Job::of_rows(book, layout, &codes);
        let set = execution.set;
        let tasks: Vec<&Market> = self.markets.iter().collect();
        let found = execution.run(
            tasks,
            64,
            || Box::new(Stage::new()),
            |stage, market| {
                let given = &policies[market.policy];
                let place = given.places[market.instrument];
                let contract = place.map(|place| &given.policy.instruments[place].contract);
                let steps = contract
                    .and_then(|contract| scenarios.steps(market.policy, market.instrument, instruments, contract))
                    .filter(|steps| market.holds(steps));
                steps.map(|steps| {
                    let sums = market.at(&job, &parts[market.policy], &steps, stage, set);
                    (steps, sums)
                })
            },
        )?;
        let mut of_markets = Vec::with_capacity(found.len());
        for (market, found) in self.markets.iter().zip(&found) {
            let Some((steps, sums)) = found else {
                let mut prices = scenarios.prices_of(market.policy, market.instrument, instruments);
                let (argument, expected) = ("scenarios", "prices within the range of the index");
                return Err(Error::Domain { argument, expected, found: prices.next().unwrap_or(f64::NAN) });
            };
            of_markets.push((market.currency, &steps.of_scenario[..], &sums[..]));
        }
        let share = scenarios.count.div_ceil(execution.threads.max(1)).max(1);
        let ranges = (0..scenarios.count).step_by(share).map(|first| first..scenarios.count.min(first + share));
        let shares = execution.run(
            ranges.clone().collect(),
            1,
            || (),
            |(), range| Totals::of(&of_markets, self.currencies, range),
        )?;
        for (range, share) in ranges.zip(&shares) {
            for (place, sums) in share.amounts.chunks(range.len()).enumerate() {
                let total = &mut outputs.totals[place * scenarios.count..][range.clone()];
                total.iter_mut().zip(sums).for_each(|(total, sum)| *total = sum.value());
            }
            outputs.liquidated[range.clone()].copy_from_slice(&share.liquidated);
            outputs.not_judged[range].copy_from_slice(&share.not_judged);
        }
        Ok(())
    }
}

/// Sums of all markets in some scenarios.
struct Totals {
    /// Currency after currency, in each amount after amount, each by scenario.
    amounts: Vec<LongSum>,
    liquidated: Vec<i64>,
    not_judged: Vec<i64>,
}

impl Totals {
    /// Adds up markets in their order, each with its currency, the step of every scenario and the sums of every step.
    fn of(markets: &[(usize, &[u32], &[Sums])], currencies: usize, range: Range<usize>) -> Self {
        let count = range.len();
        let mut all = Self {
            amounts: vec![LongSum::default(); currencies * AMOUNTS * count],
            liquidated: vec![0; count],
            not_judged: vec![0; count],
        };
        for (currency, of_scenario, sums) in markets {
            for (place, &step) in of_scenario[range.clone()].iter().enumerate() {
                let sums = &sums[step as usize];
                for (amount, sum) in sums.amounts.iter().enumerate() {
                    all.amounts[(currency * AMOUNTS + amount) * count + place].merge(sum);
                }
                all.liquidated[place] += sums.liquidated;
                all.not_judged[place] += sums.not_judged;
            }
        }
        all
    }
}

fn parts_at<'a>(policies: &[PolicyAtMarks<'a>], marks: &'a [f64]) -> Vec<PolicyPart<'a>> {
    let instruments = policies.first().map_or(0, |given| given.places.len());
    let marks = marks.chunks(instruments.max(1));
    policies.iter().zip(marks).map(|(given, marks)| PolicyPart::new(&PolicyAtMarks { marks, ..*given })).collect()
}

/// Market of a group, whose rows that lines give are done.
fn sorted(
    job: &Job<'_>,
    part: &PolicyPart<'_>,
    group: &Group,
    rows: &[u32],
    done: &SharedSlice<'_, bool>,
    stage: &mut Stage,
    set: InstructionSet,
) -> Option<Market> {
    let steps = group.steps.as_ref()?;
    let ends = (steps.coordinate[0], steps.coordinate[steps.len() - 1]);
    let (mut draft, mut zones) = (Draft::default(), Vec::new());
    for rows in rows.chunks(ROWS) {
        let found = set.run(RowWork { job, part, stage, rows });
        let mut placed = [false; ROWS];
        for (slot, &row) in rows.iter().enumerate() {
            if let Some(position) = position_in(part, &found, slot).filter(|position| position.fits(steps)) {
                zones.extend(place(&position, ends, row, &mut draft));
                placed[slot] = true;
            }
        }
        done.write_scattered(rows, &placed);
    }
    zones.sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then(one.1.row.cmp(&other.1.row)));
    let (begins, zones): (Vec<f64>, Vec<Zone>) = zones.into_iter().unzip();
    let begins = Sorted::new(begins);
    let mut highest = 0.0;
    let reach = zones.iter().map(|zone| {
        highest = if zone.end > highest { zone.end } else { highest };
        highest
    });
    let reach = reach.collect();
    let (policy, instrument, currency) = (group.policy, group.instrument, group.currency);
    Some(Market { policy, instrument, currency, ends, ladders: draft.ladders(), begins, zones, reach })
}

impl Market {
    fn holds(&self, steps: &Steps) -> bool {
        steps.len() == 0 || steps.coordinate[0] >= self.ends.0 && steps.coordinate[steps.len() - 1] <= self.ends.1
    }

    /// Sums at the steps, with every position near its zero evaluated.
    fn at(
        &self,
        job: &Job<'_>,
        part: &PolicyPart<'_>,
        steps: &Steps,
        stage: &mut Stage,
        set: InstructionSet,
    ) -> Vec<Sums> {
        let mut sums = self.ladders.at(&steps.coordinate);
        let near = self.near(steps);
        for chunk in near.chunks(ROWS) {
            let rows: Vec<u32> = chunk.iter().map(|&(_, zone)| zone.row).collect();
            let found = set.run(RowWork { job, part, stage, rows: &rows });
            for (slot, &(step, zone)) in chunk.iter().enumerate() {
                let Some(position) = position_in(part, &found, slot) else {
                    continue;
                };
                let coordinate = steps.coordinate[step];
                let liquidated = position.at(coordinate).liquidated;
                if liquidated != zone.counted {
                    let (sign, change) = if liquidated { (1.0, 1) } else { (-1.0, -1) };
                    let mut lines = Lines::default();
                    lines.add(&Line { slope: position.size, at_zero: [0.0; 2] }, sign);
                    let sums = &mut sums[step];
                    sums.liquidated += change;
                    let value = &mut sums.amounts[Amount::LiquidatedNotional as usize];
                    lines.add_to(value, coordinate);
                    // An amount of nobody is nothing, to the last bit.
                    *value = if sums.liquidated == 0 { LongSum::default() } else { *value };
                }
            }
        }
        sums
    }

    /// Steps that lie in zones, and these.
    fn near(&self, steps: &Steps) -> Vec<(usize, &Zone)> {
        let mut found = Vec::new();
        let begun = self.begins.count_up_to(&steps.coordinate);
        for &begun in &begun {
            prefetch(self.reach.as_ptr(), (begun as usize).saturating_sub(1));
        }
        for (step, (&coordinate, begun)) in steps.coordinate.iter().zip(begun).enumerate() {
            let reaching = (0..begun as usize).rev().take_while(|&place| self.reach[place] > coordinate);
            found.extend(reaching.map(|place| (step, &self.zones[place])).filter(|(_, zone)| zone.end > coordinate));
        }
        found
    }
}
