//! Accounts evaluated where they stand, and the bounds of their legs that follow.

use crate::accounts::cross::{ValuePass, ValuedLegs};
use crate::accounts::reader::AccountReader;
use crate::accounts::verdict::{Sums, Verdict, judge_wallet};
use crate::codes::status::{AccountStatus, FIRST_FAILURE, Status};
use crate::job::context::{Job, PolicyPart};
use crate::live::bounds::{Bounds, GUARD, Judgement, is_of_price, is_ordinary};
use crate::live::draw_lines::{bound_by_lines, draw_lines};
use crate::live::examine::{bounds_of_zeros, cap_of};
use crate::live::holders::Holders;
use crate::live::pooled_reach::Reaches;
use crate::live::subjects::Account;
use crate::live::verdicts::{AccountVerdicts, LegMemory};
use crate::machine::instruction_set::Work;
use crate::machine::vector::Vector;
use crate::tiles::found::{Asked, Found};
use crate::tiles::kernel;
use crate::tiles::marked::Terms;
use crate::tiles::pass::{Pass, Stage, go_over_rows};
use crate::tiles::prices;
use crate::tiles::shape::Shape;
use crate::tiles::slots::Slots;
use crate::tiles::tile::{Place, Tile, TileRows};

/// Accounts with all their legs.
pub(crate) struct AccountWork<'w, 'j, 'p> {
    pub job: &'w Job<'j>,
    pub part: &'w PolicyPart<'p>,
    pub stage: &'w mut Stage,
    pub legs: &'w mut LegMemory,
    pub accounts: &'w [&'w Account],
    pub holders: &'w Holders,
    pub steepest: &'w [[f64; 2]],
    /// Whether no closed form gives the bounds of a leg.
    pub fallback: bool,
    pub found: &'w mut AccountVerdicts,
}

impl Work for AccountWork<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Self { job, part, stage, legs, accounts, holders, steepest, fallback, found } = self;
        let LegMemory { rows, amounts, released, status, value, magnitude, rate, .. } = legs;
        let mut valued = ValuedLegs { amounts, released, status };
        let mut pass = MagnitudePass { legs: ValuePass::any(job, part, &mut valued), value, magnitude, rate };
        go_over_rows::<V>(&mut pass, &part.instruments, job.keyed(), stage, rows);
        judge_all(job, part, legs, accounts, holders, found);
        if found.only_verdicts {
            return;
        }
        if draw_lines(job, part, legs, accounts, found) {
            found.bounds.resize(legs.rows.len(), Bounds::NONE);
        } else {
            let mut pass = SharePass { job, part, legs, found };
            go_over_rows::<V>(&mut pass, &part.instruments, job.keyed(), stage, &legs.rows);
            refine(job, part, legs, accounts, steepest, fallback, found);
        }
        bound_by_lines(part, accounts, found);
    }
}

/// Values legs, and keeps how large the amounts were that went into the surplus, and the rates.
struct MagnitudePass<'a, 'l> {
    legs: ValuePass<'a, ValuedLegs<'l>>,
    value: &'a mut [f64],
    magnitude: &'a mut [f64],
    rate: &'a mut [f64],
}

impl Pass for MagnitudePass<'_, '_> {
    #[inline(always)]
    fn shape(&self) -> Shape {
        self.legs.shape()
    }

    #[inline(always)]
    fn asked(&self) -> Asked {
        self.legs.asked()
    }

    #[inline(always)]
    fn begin<V: Vector>(&self, rows: &TileRows<'_>, terms: &Terms<V>) -> Tile<V> {
        self.legs.begin(rows, terms)
    }

    #[inline(always)]
    fn finish<V: Vector>(&mut self, rows: &TileRows<'_>, terms: &Terms<V>, tile: Tile<V>, found: &Found<V>) {
        let tile = self.legs.value(rows, terms, tile, found);
        let (value, entry_value, rate) = (tile.value.array(), tile.entry_value.array(), found.maintenance[0].array());
        for slot in 0..rows.place.len() {
            let leg = rows.inside + slot;
            let [profit, requirement, ..] = self.legs.legs.amounts[leg];
            (self.value[leg], self.rate[leg]) = (value[slot], rate[slot]);
            self.magnitude[leg] = value[slot] + entry_value[slot] + requirement + profit.abs();
        }
    }
}

/// Judges accounts in turn, and gives each leg its share of the surplus, by its value.
#[inline(never)]
fn judge_all(
    job: &Job<'_>,
    part: &PolicyPart<'_>,
    legs: &mut LegMemory,
    accounts: &[&Account],
    holders: &Holders,
    found: &mut AccountVerdicts,
) {
    let (mut reader, mut reaches) = (AccountReader::new(job, part), Reaches::default());
    let mut first = 0;
    for account in accounts {
        let last = first + account.legs.len();
        let wallet = job.book.wallet_balance[account.code as usize];
        let verdict = match account.pooled {
            Some(place) => {
                let valued =
                    ValuedLegs { amounts: &mut legs.amounts, released: &mut legs.released, status: &mut legs.status };
                let verdict = reader.judge(&job.layout.pooled.accounts[place], &valued, first).1;
                reaches.find(&reader, part.policy, &verdict);
                // Both are in the order of rows.
                for (place, leg) in (first..).zip(&reader.legs) {
                    (legs.status[place], legs.reach[place]) = (leg.status, reaches.of_leg(leg));
                }
                verdict
            }
            None => {
                let mut sums = Sums::default();
                legs.amounts[first..last].iter().for_each(|leg| sums.add(leg));
                judge_wallet(wallet, job.book.status_of_account(account.code as usize), &sums, part.policy)
            }
        };
        share_surplus(legs, first..last, wallet, &verdict);
        let known = matches!(verdict.status, AccountStatus::Ok | AccountStatus::Incomplete);
        let failed = |status: u8| status >= FIRST_FAILURE && !is_of_price(status);
        let mut hopeless = !known || legs.status[first..last].iter().any(|&status| failed(status));
        if account.pooled.is_some() {
            hopeless |= reader.balances.iter().any(|balance| failed(balance.status));
            for asset in holders.of_pooled(account.pooled).iter().map(|&holder| holders.asset(holder) as usize) {
                let reach = reaches.of_asset(asset, &reader);
                found.of_assets.push(if hopeless {
                    Bounds::NONE
                } else {
                    reach.around(part.asset_prices[asset], false)
                });
            }
        }
        found.verdicts.push(verdict);
        found.hopeless.push(hopeless);
        first = last;
    }
}

/// Hands the guarded surplus of an account out to its legs; what is missing of a liquidatable one, likewise.
///
/// A leg waits a move of its share over its value, and prices that walk come that far at a rate of its reciprocal squared. The sum of these
/// rates is least where shares are as value to the power of 2/3; 3/4 takes square roots only.
fn share_surplus(legs: &mut LegMemory, of: std::ops::Range<usize>, wallet: f64, verdict: &Verdict) {
    let magnitude = legs.magnitude_of_account(of.clone(), wallet);
    let weight = |value: f64| value.sqrt() * value.sqrt().sqrt();
    let weights: f64 = legs.value[of.clone()].iter().fold(0.0, |sum, &value| sum + weight(value));
    let sign = Judgement::of(verdict.state).sign();
    let handed_out = sign * (verdict.surplus * sign - GUARD * magnitude);
    // The guard swallows it: no share, and the zero of each leg is the mark.
    let handed_out = if handed_out * sign > 0.0 { handed_out } else { f64::NAN };
    for leg in of {
        legs.weight[leg] = weight(legs.value[leg]) / weights;
        legs.share[leg] = handed_out * legs.weight[leg];
    }
}

/// Prices at which legs have used up their shares.
struct SharePass<'a> {
    job: &'a Job<'a>,
    part: &'a PolicyPart<'a>,
    legs: &'a LegMemory,
    found: &'a mut AccountVerdicts,
}

impl Pass for SharePass<'_> {
    #[inline(always)]
    fn shape(&self) -> Shape {
        Shape { bounds: true, ..self.part.shape(self.job, true) }
    }

    #[inline(always)]
    fn asked(&self) -> Asked {
        Asked { initial: false, maintenance: false, trigger: self.part.policy.moves_in_cross() }
    }

    #[inline(always)]
    fn begin<V: Vector>(&self, rows: &TileRows<'_>, terms: &Terms<V>) -> Tile<V> {
        let mut tile = Tile::new();
        tile.quantity = rows.place.load(self.job.book.quantity);
        if let Some(column) = self.job.book.risk_limit {
            tile.risk_limit = rows.place.load(column);
        }
        let inside = Place::Consecutive(rows.inside, rows.place.len());
        let (share, released) = (inside.load(&self.legs.share), inside.load(&self.legs.released));
        kernel::need_of_legs(&mut tile, terms, share, released);
        tile
    }

    #[inline(always)]
    fn finish<V: Vector>(&mut self, rows: &TileRows<'_>, terms: &Terms<V>, mut tile: Tile<V>, found: &Found<V>) {
        let PolicyPart { policy, instruments, .. } = self.part;
        prices::find_prices(&mut tile, terms, policy, instruments, &rows.entries, found, self.shape());
        let zeros = Slots::of(&tile);
        for slot in 0..rows.place.len() {
            let share = self.legs.share[rows.inside + slot];
            // A share of NaN has no zero; the sign of what is handed out says which side of the verdict the account is on.
            let judgement = if share.is_nan() {
                Judgement::Unknown
            } else if share < 0.0 {
                Judgement::Liquidatable
            } else {
                Judgement::Safe
            };
            let marked = &instruments.list[rows.instrument[slot] as usize];
            self.found.bounds.push(bounds_of_zeros(&zeros, slot, marked, judgement));
        }
    }
}

/// Bounds that no closed form gives: of legs that have none, of accounts that are not known, of those whose legs are charged together.
#[inline(never)]
fn refine(
    job: &Job<'_>,
    part: &PolicyPart<'_>,
    legs: &LegMemory,
    accounts: &[&Account],
    steepest: &[[f64; 2]],
    fallback: bool,
    found: &mut AccountVerdicts,
) {
    let mut first = 0;
    for ((account, verdict), &hopeless) in accounts.iter().zip(&found.verdicts).zip(&found.hopeless) {
        let last = first + account.legs.len();
        for leg in first..last {
            let row = legs.rows[leg] as usize;
            let marked = &part.instruments.list[job.book.instrument[row] as usize];
            if hopeless || legs.status[leg] == Status::Flat as u8 {
                found.bounds[leg] = Bounds::NONE;
            } else if Judgement::of(verdict.state) == Judgement::Unknown
                || !is_ordinary(legs.value[leg])
                || !is_ordinary(legs.magnitude[leg])
            {
                found.bounds[leg] = Bounds::at(marked.mark);
            } else if account.pooled.is_some() {
                let inverse = marked.instrument.contract.is_inverse();
                let mut bounds = legs.reach[leg].around(marked.mark, inverse);
                let cap = cap_of(marked, job.book.quantity[row]);
                bounds.keep_within_tiers(marked.mark, cap / legs.value[leg], inverse);
                found.bounds[leg] = bounds;
            } else if fallback {
                let contract = &marked.instrument.contract;
                let short = usize::from(job.book.quantity[row] < 0.0);
                let slope = 1.0 + steepest[job.book.instrument[row] as usize][short];
                let size = legs.value[leg] / marked.coordinate;
                let reach = legs.share[leg].abs() / (size * slope);
                let cap = cap_of(marked, job.book.quantity[row]);
                let mut bounds = Bounds::within(marked.mark, marked.coordinate, reach, contract.is_inverse());
                bounds.keep_within_tiers(marked.mark, cap / legs.value[leg], contract.is_inverse());
                found.bounds[leg] = bounds;
            }
        }
        first = last;
    }
}
