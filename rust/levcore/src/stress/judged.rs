//! What becomes of cross accounts in scenarios side by side: verdicts, and what they add to the totals.

use std::ops::Range;

use crate::codes::state::State;
use crate::formulas::margin;
use crate::formulas::state::state_of;
use crate::machine::vector::{self, Vector};
use crate::rules::policy::Policy;
use crate::stress::bins::{AMOUNTS, Amount, LongSum, sum_and_rest};
use crate::stress::legs::{LANES, Lanes, LegSums, SCENARIOS_OF_A_STRIP};

/// An account as its legs and its wallet say.
pub(crate) struct Account {
    pub legs: Range<usize>,
    pub wallet: f64,
    /// Whether it can be judged at all.
    pub known: bool,
    pub code: u32,
    /// Currency of its wallet, and of the values of its legs.
    pub currency: Option<usize>,
    pub value_currency: Option<usize>,
}

/// What becomes of an account over all scenarios.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Worst {
    pub code: u32,
    pub scenario: i64,
    pub equity: f64,
    pub liquidations: i64,
}

/// An amount of the scenarios of a group, with twice the digits of float64.
#[derive(Clone, Copy)]
pub(crate) struct LongLanes {
    sum: Lanes,
    rest: Lanes,
}

impl LongLanes {
    pub(crate) fn at(&self, lane: usize) -> LongSum {
        LongSum::of(self.sum.numbers()[lane], self.rest.numbers()[lane])
    }

    #[inline(always)]
    fn add<V: Vector>(&mut self, strip: usize, part: usize, numbers: V) {
        let (sum, rest) = (&mut self.sum.0[strip][part], &mut self.rest.0[strip][part]);
        let (added, lost) = sum_and_rest(V::load(sum), numbers);
        (V::load(rest) + lost).store(rest);
        added.store(sum);
    }
}

/// Amounts of a currency.
pub(crate) type LaneTotals = [LongLanes; AMOUNTS];

/// What becomes of some accounts in a group of scenarios.
#[derive(Clone)]
pub(crate) struct OfGroup {
    /// By currency; `None` where nothing was added.
    pub totals: Vec<Option<Box<LaneTotals>>>,
    /// Accounts liquidated, positions of theirs, and positions that could not be judged: whole numbers, which float64 adds exactly.
    pub accounts: Lanes,
    pub liquidated: Lanes,
    pub not_judged: Lanes,
}

impl OfGroup {
    pub(crate) fn nothing(currencies: usize) -> Self {
        let zeros = Lanes::all(0.0);
        Self { totals: vec![None; currencies], accounts: zeros, liquidated: zeros, not_judged: zeros }
    }

    /// Leaves out an account with so many legs in all scenarios.
    pub(crate) fn leave_out(&mut self, legs: usize) {
        self.not_judged.numbers_mut().iter_mut().for_each(|count| *count += legs as f64);
    }

    #[inline(always)]
    fn totals_of(&mut self, currency: usize) -> &mut LaneTotals {
        self.totals[currency].get_or_insert_with(new_totals)
    }
}

fn new_totals() -> Box<LaneTotals> {
    let zeros = Lanes::all(0.0);
    Box::new([LongLanes { sum: zeros, rest: zeros }; AMOUNTS])
}

/// An account that is judged in the scenarios of a group.
pub(crate) struct Verdict<'a> {
    policy: &'a Policy,
    account: &'a Account,
    /// Infinite where it could not be judged.
    equity: Lanes,
    /// By strip, a bit a scenario in which it is liquidated.
    liquidated: [u32; LANES / SCENARIOS_OF_A_STRIP],
}

impl<'a> Verdict<'a> {
    #[inline(always)]
    pub(crate) fn new(policy: &'a Policy, account: &'a Account) -> Self {
        let equity = Lanes::all(f64::INFINITY);
        Self { policy, account, equity, liquidated: [0; LANES / SCENARIOS_OF_A_STRIP] }
    }

    /// Judges the account in the scenarios of a strip, and adds it to the totals.
    #[inline(always)]
    pub(crate) fn judge<V: Vector>(&mut self, sums: &LegSums<V>, strip: usize, group: &mut OfGroup) {
        for part in 0..sums.profit.len() {
            let bits = self.judge_part(sums, strip, part, group);
            self.liquidated[strip] |= u32::from(bits) << (part * vector::LANES);
        }
    }

    #[inline(always)]
    fn judge_part<V: Vector>(&mut self, sums: &LegSums<V>, strip: usize, part: usize, group: &mut OfGroup) -> u8 {
        let Self { policy, account, .. } = *self;
        let (zero, infinity) = (V::all(0.0), V::all(f64::INFINITY));
        let counted = V::all(account.wallet) + sums.profit[part];
        let requirement = sums.requirement[part];
        let surplus = counted - requirement * V::all(policy.trigger);
        let judged = surplus.abs().is_below(infinity) & counted.abs().is_below(infinity);
        let state = state_of(margin::margin_ratio(requirement, counted), &policy.levels);
        let liquidated = judged & state.is_at_least(V::all(f64::from(State::Liquidation as u8)));
        V::choose(judged, counted, infinity).store(&mut self.equity.0[strip][part]);
        let maintenance = if policy.rules.fee_in_maintenance { requirement } else { sums.maintenance[part] };
        let short = judged & counted.is_below(zero);
        if let Some(currency) = account.currency {
            let totals = group.totals_of(currency);
            totals[Amount::Equity as usize].add(strip, part, V::choose(judged, counted, zero));
            totals[Amount::MaintenanceMargin as usize].add(strip, part, V::choose(judged, maintenance, zero));
            // Nothing is added where nothing changes.
            if V::any(short) {
                totals[Amount::Shortfall as usize].add(strip, part, V::choose(short, -counted, zero));
            }
        }
        let legs = V::all(account.legs.len() as f64);
        if !V::bits(judged) != 0 {
            let count = &mut group.not_judged.0[strip][part];
            (V::load(count) + V::choose(judged, zero, legs)).store(count);
        }
        if V::any(liquidated) {
            if let Some(currency) = account.value_currency {
                let value = V::choose(liquidated, sums.value[part], zero);
                group.totals_of(currency)[Amount::LiquidatedNotional as usize].add(strip, part, value);
            }
            let (accounts, positions) = (&mut group.accounts.0[strip][part], &mut group.liquidated.0[strip][part]);
            (V::load(accounts) + V::choose(liquidated, V::all(1.0), zero)).store(accounts);
            (V::load(positions) + V::choose(liquidated, legs, zero)).store(positions);
        }
        V::bits(liquidated)
    }

    /// Notes the lowest equity in the first `used` scenarios of a group, whose first one has this number.
    #[inline(always)]
    pub(crate) fn note(&self, first: usize, used: usize, worst: &mut Worst) {
        let mut lowest = worst.equity;
        let equity = &self.equity.numbers()[..used];
        for &equity in equity {
            lowest = if equity < lowest { equity } else { lowest };
        }
        for (strip, &bits) in self.liquidated.iter().enumerate() {
            let before = strip * SCENARIOS_OF_A_STRIP;
            let counted = used.saturating_sub(before);
            let kept = if counted < SCENARIOS_OF_A_STRIP { bits & ((1 << counted) - 1) } else { bits };
            worst.liquidations += i64::from(kept.count_ones());
        }
        if lowest < worst.equity {
            // The first of equal ones: of an earlier group, or the first here.
            let mut lane = 0;
            while equity[lane] != lowest {
                lane += 1;
            }
            (worst.scenario, worst.equity) = (i64::try_from(first + lane).unwrap_or(i64::MAX), lowest);
        }
    }
}
