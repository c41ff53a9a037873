//! Accounts one after the other: sums over their legs, then the verdict.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::machine::instruction_set::Work;
use crate::machine::vector::{LANES, Vector};
use crate::memory;
use crate::scenarios::held_legs::{HeldLeg, HeldLegs};
use crate::scenarios::inputs::{AddOns, Legs, ScenarioArrays};
use crate::scenarios::outputs::ScenarioOutputs;
use crate::scenarios::risk::{BlockRisk, GroupRisk};
use crate::scenarios::scan::Chunk;
use crate::scenarios::scratch::{Member, Scratch};
use crate::scenarios::status::{AccountStatus, RowStatus};

/// What every block of an evaluation shares.
pub(crate) struct AccountScenarios<'a> {
    legs: &'a Legs<'a>,
    pub arrays: &'a ScenarioArrays<'a>,
    pub add_ons: &'a AddOns<'a>,
    outputs: &'a ScenarioOutputs<'a>,
    /// NaN if there is none. An `Option` would be multiplied before it is looked into, and what lies in an empty one may be a number so
    /// small that it takes the processor a hundred cycles.
    pub initial_ratio: f64,
    /// By the book's code of the instrument.
    held: Vec<Held>,
    /// By instrument and chunk of scenarios.
    profits: Vec<Chunk>,
    /// Chunks of scenarios.
    pub width: usize,
    /// Place of each group in the order by pool, then by group.
    rank_of_group: Vec<u32>,
    /// Whether anything is added to the scan risk.
    pub charges: bool,
}

/// What a leg needs of its instrument, in one look-up.
struct Held {
    /// Place in the arrays.
    place: u32,
    group: u32,
    /// What no quantity can mend.
    failure: Option<RowStatus>,
}

/// Memory of one thread.
pub(crate) struct Memory {
    held: HeldLegs,
    account: Scratch,
}

/// Consecutive accounts to evaluate.
pub(crate) struct AccountBlock<'a> {
    pub job: &'a AccountScenarios<'a>,
    pub memory: &'a mut Memory,
    pub accounts: Range<usize>,
}

impl Work for AccountBlock<'_> {
    type Output = Result<BlockRisk>;

    #[inline(always)]
    fn run<V: Vector>(self) -> Result<BlockRisk> {
        self.job.evaluate::<V>(self.memory, self.accounts)
    }
}

fn hold(arrays: &ScenarioArrays<'_>, add_ons: &AddOns<'_>, place: Option<usize>) -> Held {
    let Some(place) = place else {
        return Held { place: 0, group: 0, failure: Some(RowStatus::UnknownInstrument) };
    };
    let failure = if !arrays.profits_of(place).iter().all(|profit| profit.is_finite()) {
        Some(RowStatus::IncompleteArray)
    } else if add_ons.option_value.is_some_and(|values| !values[place].is_finite()) {
        Some(RowStatus::MissingOptionValue)
    } else {
        None
    };
    Held { place: place as u32, group: arrays.group[place], failure }
}

/// Why a leg cannot be added.
#[cold]
fn failure(held: &Held, quantity: f64) -> RowStatus {
    held.failure.filter(|_| quantity.is_finite()).unwrap_or(RowStatus::InvalidQuantity)
}

/// The profits of all instruments in chunks, the last scenario of each repeated.
fn chunks_of(arrays: &ScenarioArrays<'_>, width: usize) -> Result<Vec<Chunk>> {
    let mut chunks = memory::with_room(arrays.group.len().saturating_mul(width))?;
    for place in 0..arrays.group.len() {
        let profits = arrays.profits_of(place);
        for first in (0..profits.len()).step_by(LANES) {
            chunks.push(Chunk(std::array::from_fn(|lane| profits[(first + lane).min(profits.len() - 1)])));
        }
    }
    Ok(chunks)
}

/// Place of each group in the order by pool, then by group.
fn ranks(arrays: &ScenarioArrays<'_>) -> Vec<u32> {
    let mut order: Vec<usize> = (0..arrays.pool.len()).collect();
    order.sort_by_key(|&group| arrays.pool[group]);
    let mut ranks = vec![0; order.len()];
    for (rank, &group) in order.iter().enumerate() {
        ranks[group] = rank as u32;
    }
    ranks
}

impl<'a> AccountScenarios<'a> {
    pub(crate) fn new(
        legs: &'a Legs<'a>,
        arrays: &'a ScenarioArrays<'a>,
        add_ons: &'a AddOns<'a>,
        outputs: &'a ScenarioOutputs<'a>,
    ) -> Result<Self> {
        let width = arrays.scenarios.div_ceil(LANES);
        let by_net_position = add_ons.by_net_position().iter().any(Option::is_some);
        Ok(Self {
            legs,
            arrays,
            add_ons,
            outputs,
            initial_ratio: add_ons.initial_ratio.unwrap_or(f64::NAN),
            held: memory::collected(legs.places.len(), legs.places.iter().map(|&place| hold(arrays, add_ons, place)))?,
            profits: chunks_of(arrays, width)?,
            width,
            rank_of_group: ranks(arrays),
            charges: by_net_position || add_ons.adjustments.is_some(),
        })
    }

    pub(crate) fn memory(&self) -> Memory {
        let sets = self.add_ons.by_net_position().iter().flatten().map(|amounts| amounts.group.len()).max();
        Memory {
            held: HeldLegs::default(),
            account: Scratch::new(self.arrays.pool.len(), sets.unwrap_or(0), self.width),
        }
    }

    /// Evaluates consecutive accounts.
    #[inline(always)]
    fn evaluate<V: Vector>(&self, memory: &mut Memory, accounts: Range<usize>) -> Result<BlockRisk> {
        let Memory { held, account: scratch } = memory;
        let failures = self.hold_legs(held, accounts.clone())?;
        scratch.risks.clear();
        for (number, account) in accounts.enumerate() {
            let (legs, complete) = held.of(number);
            scratch.add_up::<V>(account, legs, &self.profits);
            let complete = self.adjust(scratch, account) && complete;
            self.order_groups(scratch);
            let first = scratch.risks.len();
            let measures = if complete { self.measure::<V>(scratch, legs, account) } else { None };
            let status = match measures {
                Some(_) => self.equity_status(account),
                None => AccountStatus::Incomplete,
            };
            if measures.is_none() {
                forget(scratch, first, account);
            }
            self.outputs.store(account, measures, status);
            if self.outputs.keeps_profits() {
                self.store_profits(scratch, account, status);
            }
        }
        // The next block takes as much.
        let room = memory::with_room(scratch.risks.len())?;
        Ok(BlockRisk { groups: std::mem::replace(&mut scratch.risks, room), failures })
    }

    /// Lists the legs of accounts that can be added, and returns the rows that cannot. Rows may lie anywhere: nothing here waits for one
    /// before it asks for the next.
    #[inline(always)]
    fn hold_legs(&self, held: &mut HeldLegs, accounts: Range<usize>) -> Result<Vec<(u32, u8)>> {
        let Legs { instrument, quantity, rows, places } = *self.legs;
        let (quantity, of_code) = (&quantity[..instrument.len()], &self.held[..]);
        let mut failures = Vec::new();
        held.begin(rows.count(accounts.clone()))?;
        for account in accounts {
            let failed_before = failures.len();
            for &row in rows.of(account) {
                let (quantity, code) = (quantity[row as usize], instrument[row as usize]);
                let Some(of_code) = of_code.get(code as usize) else {
                    let (row, found) = (row as usize, i64::from(code));
                    return Err(Error::Code { argument: "instrument", row, found, limit: places.len() });
                };
                // A leg without exposure can always be added, and adds nothing.
                let fails = !quantity.is_finite() | (of_code.failure.is_some() & (quantity != 0.0));
                held.push(HeldLeg { quantity, place: of_code.place, group: of_code.group }, !fails & (quantity != 0.0));
                if fails {
                    failures.push((row, failure(of_code, quantity) as u8));
                }
            }
            held.end(failures.len() == failed_before);
        }
        Ok(failures)
    }

    /// Makes sure that every group with an adjustment has a slot; whether all adjustments are numbers.
    #[inline(always)]
    fn adjust(&self, scratch: &mut Scratch, account: usize) -> bool {
        let Some(adjustments) = self.adjustments_of(account) else { return true };
        for (group, &adjustment) in adjustments.iter().enumerate() {
            if adjustment != 0.0 {
                scratch.touch(group as u32);
            }
        }
        adjustments.iter().all(|adjustment| adjustment.is_finite())
    }

    #[inline(always)]
    pub(crate) fn adjustments_of(&self, account: usize) -> Option<&[f64]> {
        let groups = self.arrays.pool.len();
        self.add_ons.adjustments.map(|adjustments| &adjustments[account * groups..][..groups])
    }

    /// Puts the groups of the account in order.
    #[inline(always)]
    fn order_groups(&self, scratch: &mut Scratch) {
        scratch.order.clear();
        for slot in 0..scratch.count() {
            let rank = self.rank_of_group[scratch.group(slot) as usize];
            scratch.order.push(Member { rank, slot: slot as u32 });
        }
        if !scratch.order.is_sorted() {
            scratch.order.sort_unstable();
        }
    }

    #[inline(always)]
    fn equity_status(&self, account: usize) -> AccountStatus {
        match self.add_ons.equity.map(|equity| equity[account]) {
            Some(equity) if equity.is_nan() => AccountStatus::MissingEquity,
            Some(equity) if equity.is_infinite() => AccountStatus::InvalidEquity,
            _ => AccountStatus::Ok,
        }
    }

    /// Stores the profit of an account over all its groups, in the order of their first legs.
    #[cold]
    fn store_profits(&self, scratch: &mut Scratch, account: usize, status: AccountStatus) {
        let scenarios = self.arrays.scenarios;
        scratch.total.clear();
        scratch.total.resize(scenarios, if status == AccountStatus::Incomplete { f64::NAN } else { 0.0 });
        if status != AccountStatus::Incomplete {
            for slot in 0..scratch.count() {
                for scenario in 0..scenarios {
                    scratch.total[scenario] += scratch.profits(slot)[scenario / LANES].0[scenario % LANES];
                }
            }
        }
        self.outputs.store_profits(account * scenarios, &scratch.total);
    }
}

/// Lists the groups of an account that could not be judged, in place of what is known of them.
#[cold]
fn forget(scratch: &mut Scratch, first: usize, account: usize) {
    scratch.risks.truncate(first);
    for place in 0..scratch.order.len() {
        let group = scratch.group(scratch.order[place].slot as usize);
        scratch.risks.push(GroupRisk::unknown(account, group));
    }
}
