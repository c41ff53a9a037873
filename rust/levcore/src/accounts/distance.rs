//! How far prices may move together until an account is liquidated.
//!
//! # Formula
//!
//! Every price moves by its beta, `P (1 + beta t)`. With the beta of the largest magnitude, `b`, the place on the ray is `s = 1 + b t`, so
//! that its price is zero at the place 0 and everything else moves by `beta / b`. The zeros of the account's surplus on the ray are
//! those of the module `ray`.

use crate::accounts::cross::ValuedLegs;
use crate::accounts::plain::{PlainAccounts, Reading, larger_magnitude};
use crate::accounts::pool::Move;
use crate::accounts::pooled_work::PooledWork;
use crate::accounts::rays::{RayTile, SolveRays};
use crate::accounts::reader::AccountReader;
use crate::book::pooled_accounts::PooledAccount;
use crate::codes::status::AccountStatus;
use crate::formulas::ray::Zeros;
use crate::job::context::{Job, PolicyPart};
use crate::machine::instruction_set::InstructionSet;
use crate::machine::shared::SharedSlice;
use crate::machine::vector::LANES;

/// How much each price moves as the ray does, by the policy's code: one beta an instrument of the book, one an asset of the policy.
#[derive(Debug, Clone, Copy)]
pub struct Betas<'a> {
    /// By the book's instruments.
    pub of_instruments: &'a [f64],
    /// By the policy's assets.
    pub of_assets: &'a [f64],
}

/// Columns of distances, by account code.
#[derive(Debug)]
pub struct DistanceOutputs<'a> {
    lower: SharedSlice<'a, f64>,
    upper: SharedSlice<'a, f64>,
    status: SharedSlice<'a, u8>,
}

impl<'a> DistanceOutputs<'a> {
    /// Borrows the columns: the move down and the move up that liquidate, as fractions; codes of [`AccountStatus`].
    pub fn new(lower: &'a mut [f64], upper: &'a mut [f64], status: &'a mut [u8]) -> Self {
        Self { lower: SharedSlice::new(lower), upper: SharedSlice::new(upper), status: SharedSlice::new(status) }
    }

    pub(crate) fn len(&self) -> [usize; 3] {
        [self.lower.len(), self.upper.len(), self.status.len()]
    }

    /// Stores the distances of the account with this code, or of the account without the leg of this row.
    fn store(&self, code: usize, (lower, upper): (f64, f64), status: AccountStatus) {
        self.lower.write_consecutive(code, &[lower]);
        self.upper.write_consecutive(code, &[upper]);
        self.status.write_consecutive(code, &[status as u8]);
    }
}

/// Measures the distances of accounts one after the other; the memory is used again.
pub(crate) struct Measurer<'a> {
    part: &'a PolicyPart<'a>,
    betas: Betas<'a>,
    outputs: &'a DistanceOutputs<'a>,
    reader: AccountReader<'a>,
    moved: Move,
    without_each: bool,
    set: InstructionSet,
    plain: PlainAccounts<'a>,
    /// Plain accounts that wait for others of about as many legs.
    tiles: [RayTile; SIZES],
}

/// Numbers of legs that are told apart, by powers of two; larger accounts are solved one by one, their legs side by side.
const SIZES: usize = 7;

/// No price liquidates.
const NONE: (f64, f64) = (f64::NAN, f64::NAN);

impl<'a> Measurer<'a> {
    pub(crate) fn new(
        job: &'a Job<'a>,
        part: &'a PolicyPart<'a>,
        betas: Betas<'a>,
        outputs: &'a DistanceOutputs<'a>,
        without_each: bool,
        set: InstructionSet,
    ) -> Self {
        let reader = AccountReader::new(job, part);
        let plain = PlainAccounts::new(job, part, betas.of_instruments);
        let tiles = Default::default();
        Self { part, betas, outputs, reader, moved: Move::default(), without_each, set, plain, tiles }
    }
}

impl PooledWork for Measurer<'_> {
    /// Measures the distances of the account, or those of the account without each of its legs.
    fn account(&mut self, account: &PooledAccount, valued: &ValuedLegs<'_>, first: usize) {
        if !self.without_each {
            self.measure(account, valued, first, None, account.code);
            return;
        }
        for leg in 0..account.legs.len() {
            let row = self.reader.row(account, leg);
            self.measure(account, valued, first, Some(leg), row);
        }
    }

    fn finish(&mut self) {
        for size in 0..SIZES {
            self.solve(size);
        }
    }
}

impl Measurer<'_> {
    /// Measures the distances of the account without the leg at a place among its own, if so.
    fn measure(
        &mut self,
        account: &PooledAccount,
        valued: &ValuedLegs<'_>,
        first: usize,
        left_out: Option<usize>,
        place: usize,
    ) {
        let size = account.legs.len().next_power_of_two().trailing_zeros() as usize;
        if let Some(tile) = self.tiles.get_mut(size) {
            match self.plain.push(tile, account, valued, first, left_out, place) {
                Reading::Waits if tile.count == LANES => return self.solve(size),
                Reading::Waits => return,
                Reading::Settled(status) => return self.outputs.store(place, NONE, status),
                Reading::NotPlain => {}
            }
        }
        self.reader.leave_out(left_out);
        let (_, verdict) = self.reader.judge(account, valued, first);
        if verdict.status != AccountStatus::Ok {
            self.outputs.store(place, NONE, verdict.status);
            return;
        }
        self.reader.pool.freeze(self.part.policy);
        let Some(scale) = self.ray() else {
            self.outputs.store(place, NONE, AccountStatus::NoCommonRay);
            return;
        };
        let moves = if scale == 0.0 { NONE } else { self.zeros(verdict.surplus, scale) };
        self.outputs.store(place, moves, AccountStatus::Ok);
    }

    /// Solves the accounts that wait in a tile.
    fn solve(&mut self, size: usize) {
        let tile = &self.tiles[size];
        if tile.count == 0 {
            return;
        }
        let wallet = self.plain.wallet(0.0);
        let Zeros { lower, upper } = self.set.run(SolveRays { tile, wallet: &wallet, policy: self.part.policy });
        for lane in 0..tile.count {
            let moves = moves_of(Zeros { lower: lower[lane], upper: upper[lane] }, tile.scales[lane]);
            self.outputs.store(tile.places[lane], moves, AccountStatus::Ok);
        }
        self.tiles[size].clear();
    }

    /// Puts what moves on the ray; the beta of the largest magnitude, or none if the surplus on the ray is not made of lines.
    fn ray(&mut self) -> Option<f64> {
        self.moved.clear();
        let mut scale = 0.0_f64;
        for (number, leg) in self.reader.pool.legs.iter().enumerate() {
            let known = &self.reader.legs[leg.known];
            if !known.moves {
                continue;
            }
            let beta = self.betas.of_instruments[known.instrument];
            let of_settlement = self.beta_of_holding(leg.holding);
            if if leg.reciprocal { beta != of_settlement } else { beta != 0.0 && of_settlement != 0.0 } {
                return None;
            }
            if beta != 0.0 {
                self.moved.legs.push((number, beta));
                self.moved.holdings.push((leg.holding, of_settlement));
            }
            scale = larger_magnitude(scale, beta);
        }
        for holding in 0..self.reader.pool.holdings.len() {
            let beta = self.beta_of_holding(holding);
            if beta != 0.0 {
                self.moved.holdings.push((holding, beta));
            }
            scale = larger_magnitude(scale, beta);
        }
        self.moved.merge_holdings();
        if self.in_coin() { self.one_pace(scale) } else { Some(scale) }
    }

    fn beta_of_holding(&self, holding: usize) -> f64 {
        self.reader.place_of_holding(holding).map_or(0.0, |place| self.betas.of_assets[place])
    }

    /// Whether the account is a wallet in the coin of inverse contracts.
    fn in_coin(&self) -> bool {
        !self.reader.has_balances && self.moved.legs.iter().any(|&(number, _)| self.is_inverse(number))
    }

    fn is_inverse(&self, leg: usize) -> bool {
        let known = &self.reader.legs[self.reader.pool.legs[leg].known];
        self.part.instruments.list[known.instrument].instrument.contract.is_inverse()
    }

    /// In a coin only a common pace keeps values on lines: those of the common coordinate.
    fn one_pace(&self, scale: f64) -> Option<f64> {
        let common = self.moved.legs.iter().all(|&(number, beta)| beta == scale && self.is_inverse(number));
        common.then_some(scale)
    }

    /// Moves that liquidate, the lower one first.
    fn zeros(&mut self, surplus: f64, scale: f64) -> (f64, f64) {
        let in_coin = self.in_coin();
        let mut highest = f64::INFINITY;
        for (_, beta) in self.moved.legs.iter_mut().chain(&mut self.moved.holdings) {
            *beta /= scale;
            if *beta < 0.0 {
                highest = highest.min(1.0 - 1.0 / *beta);
            }
        }
        let zeros = self.reader.pool.zeros_of_surplus(self.part.policy, self.set, surplus, &self.moved, highest);
        let places = if in_coin { Zeros { lower: 1.0 / zeros.upper, upper: 1.0 / zeros.lower } } else { zeros };
        moves_of(places, scale)
    }
}

/// Moves that lead to these places of a ray, the lower one first.
fn moves_of(places: Zeros, scale: f64) -> (f64, f64) {
    let (lower, upper) = ((places.lower - 1.0) / scale, (places.upper - 1.0) / scale);
    if scale < 0.0 { (upper, lower) } else { (lower, upper) }
}
