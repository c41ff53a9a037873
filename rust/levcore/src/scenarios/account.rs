//! Accounts one after the other: sums over their legs, then the verdict.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::machine::instruction_set::Work;
use crate::machine::vector::{LANES, Vector, prefetch};
use crate::memory;
use crate::scenarios::held_legs::{Held, HeldLeg, HeldLegs, NO_PLACE, held_leg, hold, is_ordinary, missing};
use crate::scenarios::inputs::{AddOns, Legs, ScenarioArrays};
use crate::scenarios::outputs::ScenarioOutputs;
use crate::scenarios::risk::{BlockGroups, BlockRisk, GroupRisk};
use crate::scenarios::scan::Chunk;
use crate::scenarios::scratch::Scratch;
use crate::scenarios::status::{AccountStatus, RowStatus};

/// What every block of an evaluation shares.
pub(crate) struct AccountScenarios<'a> {
    legs: &'a Legs<'a>,
    pub arrays: &'a ScenarioArrays<'a>,
    pub add_ons: &'a AddOns<'a>,
    pub outputs: &'a ScenarioOutputs<'a>,
    /// NaN if there is none. An `Option` would be multiplied before it is looked into, and what lies in an empty one may be a number so
    /// small that it takes the processor a hundred cycles.
    pub initial_ratio: f64,
    /// By the book's code of the instrument, and one more for codes that are none.
    held: Vec<Held>,
    /// By instrument and chunk of scenarios.
    profits: Vec<Chunk>,
    /// Chunks of scenarios.
    pub width: usize,
    /// Groups by pool, then by group.
    pub group_of_rank: Vec<u32>,
    /// Place of each group in that order.
    pub rank_of_group: Vec<u32>,
    /// Whether any pool has several groups.
    pub has_pools: bool,
    /// Whether anything is added to the scan risk.
    pub charges: bool,
}

/// Legs that are asked for before they are listed, where they lie apart.
const AHEAD: usize = 32;
/// Legs that are listed at a time: the list stays in the innermost cache until they are added up.
const LISTED_LEGS: usize = 512;

/// Memory of one thread.
pub(crate) struct Memory {
    held: HeldLegs,
    account: Scratch,
    /// How many groups the block before had.
    groups: usize,
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

/// Groups by pool, then by group, and the place of each in that order.
fn ranks(arrays: &ScenarioArrays<'_>) -> (Vec<u32>, Vec<u32>) {
    let mut groups: Vec<u32> = (0..arrays.pool.len() as u32).collect();
    groups.sort_by_key(|&group| arrays.pool[group as usize]);
    let mut ranks = vec![0; groups.len()];
    for (rank, &group) in (0..).zip(&groups) {
        ranks[group as usize] = rank;
    }
    (groups, ranks)
}

impl<'a> AccountScenarios<'a> {
    pub(crate) fn new(
        legs: &'a Legs<'a>,
        arrays: &'a ScenarioArrays<'a>,
        add_ons: &'a AddOns<'a>,
        outputs: &'a ScenarioOutputs<'a>,
    ) -> Result<Self> {
        let width = arrays.scenarios.div_ceil(LANES);
        // A group is a pool of its own or belongs to one of several.
        let mut sizes = vec![0; arrays.pool.len()];
        arrays.pool.iter().for_each(|&pool| sizes[pool as usize] += 1);
        let by_net_position = add_ons.by_net_position().iter().any(Option::is_some);
        let (group_of_rank, rank_of_group) = ranks(arrays);
        Ok(Self {
            legs,
            arrays,
            add_ons,
            outputs,
            initial_ratio: add_ons.initial_ratio.unwrap_or(f64::NAN),
            held: hold(legs, arrays, add_ons, &rank_of_group)?,
            profits: chunks_of(arrays, width)?,
            width,
            group_of_rank,
            rank_of_group,
            has_pools: sizes.iter().any(|&groups| groups > 1),
            charges: by_net_position || add_ons.adjustments.is_some(),
        })
    }

    pub(crate) fn memory(&self) -> Memory {
        let sets = self.add_ons.by_net_position().iter().flatten().map(|amounts| amounts.group.len()).max();
        Memory {
            held: HeldLegs::default(),
            account: Scratch::new(self.arrays.pool.len(), sets.unwrap_or(0), self.width),
            groups: 0,
        }
    }

    /// Evaluates consecutive accounts.
    #[inline(always)]
    fn evaluate<V: Vector>(&self, memory: &mut Memory, accounts: Range<usize>) -> Result<BlockRisk> {
        let Memory { held, account: scratch, groups: room } = memory;
        let mut failures = Vec::new();
        let mut groups = BlockGroups::with_room(*room, self.has_pools)?;
        let mut first = accounts.start;
        while first < accounts.end {
            let (mut end, mut count) = (first, 0);
            while end < accounts.end && count < LISTED_LEGS {
                count += self.legs.rows.of(end).len() + 1;
                end += 1;
            }
            if !self.list_legs(held, first..end)? {
                self.list_odd_legs(held, first..end, &mut failures)?;
            }
            for account in first..end {
                let (legs, complete) = held.of(account - first);
                self.judge::<V>(scratch, &mut groups, account, legs, complete);
            }
            first = end;
        }
        // The next block finds as much.
        *room = groups.len();
        Ok(BlockRisk { groups, failures })
    }

    /// Adds up and judges an account.
    #[inline(always)]
    fn judge<V: Vector>(
        &self,
        scratch: &mut Scratch,
        groups: &mut BlockGroups,
        account: usize,
        legs: &[HeldLeg],
        complete: bool,
    ) {
        scratch.add_up::<V>(account, legs, &self.profits);
        let complete = self.adjust(scratch, account) && complete;
        scratch.put_in_order();
        let first = groups.len();
        let measures = if complete { self.measure::<V>(scratch, groups, legs, account) } else { None };
        let status = match measures {
            Some(_) => self.equity_status(account),
            None => AccountStatus::Incomplete,
        };
        if measures.is_none() && self.outputs.keeps_groups() {
            self.forget(scratch, groups, first, account);
        }
        self.outputs.store(account, measures, status);
        if self.outputs.keeps_profits() {
            self.store_profits(scratch, account, status);
        }
    }

    /// Lists the legs of accounts as they are; whether each of them can be added and has an exposure.
    #[inline(always)]
    fn list_legs(&self, held: &mut HeldLegs, accounts: Range<usize>) -> Result<bool> {
        let Legs { instrument, quantity, rows, .. } = *self.legs;
        let (quantity, all) = (&quantity[..instrument.len()], rows.of_all(accounts.clone()));
        held.begin(all.len())?;
        let (legs, of_code, mut ordinary) = (held.next(all.len()), &self.held[..], true);
        if let Some(range) = rows.range_of(accounts.clone()) {
            for ((leg, &quantity), &code) in legs.iter_mut().zip(&quantity[range.clone()]).zip(&instrument[range]) {
                *leg = held_leg(of_code, quantity, code);
                ordinary &= is_ordinary(leg);
            }
        } else {
            for (place, (leg, &row)) in legs.iter_mut().zip(all).enumerate() {
                let later = all[if place + AHEAD < all.len() { place + AHEAD } else { place }] as usize;
                prefetch(quantity.as_ptr(), later);
                prefetch(instrument.as_ptr(), later);
                *leg = held_leg(of_code, quantity[row as usize], instrument[row as usize]);
                ordinary &= is_ordinary(leg);
            }
        }
        for account in accounts {
            held.end_whole(rows.of(account).len());
        }
        Ok(ordinary)
    }

    /// Lists the legs of accounts that can be added, and the rows that cannot.
    #[inline(always)]
    fn list_odd_legs(&self, held: &mut HeldLegs, accounts: Range<usize>, failures: &mut Vec<(u32, u8)>) -> Result<()> {
        let Legs { instrument, quantity, rows, .. } = *self.legs;
        let of_code = &self.held[..self.held.len() - 1];
        held.begin(rows.of_all(accounts.clone()).len())?;
        for account in accounts {
            let failed_before = failures.len();
            for &row in rows.of(account) {
                let (quantity, code) = (quantity[row as usize], instrument[row as usize]);
                let Some(&Held { place, group }) = of_code.get(code as usize) else {
                    return Err(self.unknown_code(row));
                };
                // A leg without exposure can always be added, and adds nothing.
                let fails = !quantity.is_finite() | ((place == NO_PLACE) & (quantity != 0.0));
                held.push(HeldLeg { quantity, place, group }, !fails & (quantity != 0.0));
                if fails {
                    failures.push((row, self.failure(row) as u8));
                }
            }
            held.end(failures.len() == failed_before);
        }
        Ok(())
    }

    #[cold]
    fn unknown_code(&self, row: u32) -> Error {
        let found = i64::from(self.legs.instrument[row as usize]);
        Error::Code { argument: "instrument", row: row as usize, found, limit: self.legs.places.len() }
    }

    /// Why a leg cannot be added.
    #[cold]
    fn failure(&self, row: u32) -> RowStatus {
        let place = self.legs.places[self.legs.instrument[row as usize] as usize];
        let found = missing(self.arrays, self.add_ons, place);
        found.filter(|_| self.legs.quantity[row as usize].is_finite()).unwrap_or(RowStatus::InvalidQuantity)
    }

    /// Makes sure that every group with an adjustment has a slot; whether all adjustments are numbers.
    #[inline(always)]
    fn adjust(&self, scratch: &mut Scratch, account: usize) -> bool {
        let Some(adjustments) = self.adjustments_of(account) else { return true };
        for (group, &adjustment) in adjustments.iter().enumerate() {
            if adjustment != 0.0 {
                scratch.touch(self.rank_of_group[group]);
            }
        }
        adjustments.iter().all(|adjustment| adjustment.is_finite())
    }

    #[inline(always)]
    pub(crate) fn adjustments_of(&self, account: usize) -> Option<&[f64]> {
        let groups = self.arrays.pool.len();
        self.add_ons.adjustments.map(|adjustments| &adjustments[account * groups..][..groups])
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

    /// Lists the groups of an account that could not be judged, in place of what is known of them.
    #[cold]
    fn forget(&self, scratch: &Scratch, groups: &mut BlockGroups, first: usize, account: usize) {
        groups.truncate(first);
        for place in 0..scratch.count() {
            let rank = scratch.rank(scratch.slot_at(place));
            groups.push(&GroupRisk::unknown(account, self.group_of_rank[rank]));
        }
    }
}
