//! Accounts that are read straight into the tiles of their rays: one wallet, contracts in its currency, each instrument once, margins by the
//! lines of a table.

use crate::accounts::cross::ValuedLegs;
use crate::accounts::holding::{Holding, count};
use crate::accounts::leg::{LegTerms, frozen};
use crate::accounts::numbering::Numbering;
use crate::accounts::rays::RayTile;
use crate::accounts::verdict::{Totals, judge};
use crate::book::pooled_accounts::PooledAccount;
use crate::codes::status::{AccountStatus, FIRST_FAILURE, Status};
use crate::formulas::exposure;
use crate::job::context::{Job, PolicyPart};

/// What became of an account that was to be put into a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It is not plain.
    NotPlain,
    /// No price liquidates it, for this reason.
    Settled(AccountStatus),
    /// It waits in the tile.
    Waits,
}

/// Reads plain accounts; the memory is used again.
pub(crate) struct PlainAccounts<'a> {
    job: &'a Job<'a>,
    part: &'a PolicyPart<'a>,
    /// By the book's instruments.
    betas: &'a [f64],
    /// Whether legs are charged one by one.
    one_by_one: bool,
    instruments: Numbering,
}

impl<'a> PlainAccounts<'a> {
    pub(crate) fn new(job: &'a Job<'a>, part: &'a PolicyPart<'a>, betas: &'a [f64]) -> Self {
        let one_by_one = !part.policy.rules.hedge_rule.is_by_groups();
        Self { job, part, betas, one_by_one, instruments: Numbering::default() }
    }

    /// A wallet of these accounts.
    pub(crate) fn wallet(&self, balance: f64) -> Holding<'a> {
        Holding::new(&self.part.wallet, 1.0, self.part.policy, balance, 0.0)
    }

    /// Adds an account to a tile, without one of its legs if so.
    pub(crate) fn push(
        &mut self,
        tile: &mut RayTile,
        account: &PooledAccount,
        valued: &ValuedLegs<'_>,
        first: usize,
        left_out: Option<usize>,
        place: usize,
    ) -> Reading {
        let all = &self.job.layout.pooled.rows[account.legs.clone()];
        let rows = all.iter().enumerate().filter(|&(leg, _)| Some(leg) != left_out);
        let legs = rows.map(|(leg, &row)| (first + leg, row as usize));
        if !account.balances.is_empty() || !self.are_plain(legs.clone(), valued) {
            return Reading::NotPlain;
        }
        let Some(scale) = self.scale(legs.clone()) else { return Reading::NotPlain };
        let policy = self.part.policy;
        let mut wallet = self.wallet(self.job.book.wallet_balance[account.code]);
        for (leg, _) in legs.clone() {
            wallet.profit += valued.amounts[leg][0];
        }
        let mut totals = Totals::default();
        count(&mut wallet, policy, &mut totals);
        for (leg, _) in legs.clone() {
            totals.requirement += wallet.margin_price * valued.amounts[leg][1];
        }
        let verdict = judge(&totals, self.job.book.status_of_account(account.code), policy);
        if verdict.status != AccountStatus::Ok || scale == 0.0 {
            return Reading::Settled(verdict.status);
        }
        for (leg, row) in legs {
            let code = self.job.book.instrument[row] as usize;
            let beta = self.betas[code];
            if beta == 0.0 {
                continue;
            }
            let marked = &self.part.instruments.list[code];
            let (contract, quantity) = (&marked.instrument.contract, self.job.book.quantity[row]);
            let size = exposure::size(quantity, contract.contract_size);
            let value = exposure::value(size, marked.coordinate);
            let direction = exposure::direction(quantity, contract.long_direction());
            let frozen = frozen(valued.amounts[leg][1] * policy.trigger, valued.released[leg]);
            let terms = LegTerms { value, charged: 1.0, frozen, reciprocal: false };
            let lines = marked.instrument.table(quantity).place() as usize;
            tile.push_leg(direction, terms, wallet.margin_price, beta / scale, lines);
        }
        tile.push(place, scale, wallet.equity, verdict.surplus);
        Reading::Waits
    }

    /// Whether the legs are those of a plain account.
    fn are_plain(&mut self, legs: impl Iterator<Item = (usize, usize)>, valued: &ValuedLegs<'_>) -> bool {
        self.instruments.clear();
        for (leg, row) in legs {
            let (status, code) = (valued.status[leg], self.job.book.instrument[row] as usize);
            let instrument = &self.part.instruments.list[code].instrument;
            let by_lines = !instrument.table(self.job.book.quantity[row]).is_whole();
            let live = status < FIRST_FAILURE && status != Status::Flat as u8;
            if !live || !by_lines || instrument.contract.is_inverse() || self.instruments.knows(code) {
                return false;
            }
            self.instruments.number(code);
        }
        self.one_by_one
    }

    /// The beta of the largest magnitude; none if some prices rise as others fall.
    fn scale(&self, legs: impl Iterator<Item = (usize, usize)>) -> Option<f64> {
        let (mut scale, mut rises, mut falls) = (0.0, false, false);
        for (_, row) in legs {
            let beta = self.betas[self.job.book.instrument[row] as usize];
            scale = larger_magnitude(scale, beta);
            rises |= beta > 0.0;
            falls |= beta < 0.0;
        }
        (!(rises && falls)).then_some(scale)
    }
}

/// The beta of the larger magnitude; the first one on a tie.
pub(crate) fn larger_magnitude(left: f64, right: f64) -> f64 {
    if right.abs() > left.abs() { right } else { left }
}
