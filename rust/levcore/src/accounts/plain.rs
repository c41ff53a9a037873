//! Accounts that are read straight into the tiles of their rays: one wallet, contracts in its currency, each instrument once, margins by the
//! lines of a table.

use crate::accounts::cross::ValuedLegs;
use crate::accounts::holding::{Holding, count};
use crate::accounts::leg::{LegTerms, frozen};
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

/// An instrument with what its legs need, in one cache line.
#[derive(Debug, Clone, Copy)]
struct PlainInstrument {
    coordinate: f64,
    contract_size: f64,
    beta: f64,
    /// Where the lines of long and of short positions stand.
    lines: [u32; 2],
    /// The last account in which it was seen.
    seen: u32,
}

/// No lines.
const NONE: u32 = u32::MAX;

/// A leg of a plain account.
#[derive(Debug, Clone, Copy)]
struct PlainLeg {
    direction: f64,
    terms: LegTerms<f64>,
    beta: f64,
    lines: u32,
}

/// Reads plain accounts; the memory is used again.
pub(crate) struct PlainAccounts<'a> {
    job: &'a Job<'a>,
    part: &'a PolicyPart<'a>,
    /// By the book's instruments.
    instruments: Vec<PlainInstrument>,
    /// Accounts seen so far.
    seen: u32,
    /// Those of the account that is read.
    legs: Vec<PlainLeg>,
}

impl<'a> PlainAccounts<'a> {
    /// `betas` are those of the book's instruments.
    pub(crate) fn new(job: &'a Job<'a>, part: &'a PolicyPart<'a>, betas: &[f64]) -> Self {
        let one_by_one = !part.policy.rules.hedge_rule.is_by_groups();
        let known = part.instruments.list.iter().zip(betas);
        let instruments = known.map(|(marked, &beta)| {
            let contract = &marked.instrument.contract;
            let lines = [1.0, -1.0].map(|side| {
                let table = marked.instrument.table(side);
                if one_by_one && !table.is_whole() && !contract.is_inverse() { table.place() } else { NONE }
            });
            let contract_size = contract.contract_size;
            PlainInstrument { coordinate: marked.coordinate, contract_size, beta, lines, seen: 0 }
        });
        Self { job, part, instruments: instruments.collect(), seen: 0, legs: Vec::new() }
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
        let rows = &self.job.layout.pooled.rows[account.legs.clone()];
        if !account.balances.is_empty() || !self.read(rows, valued, first, left_out) {
            return Reading::NotPlain;
        }
        let (mut scale, mut rises, mut falls) = (0.0, false, false);
        for &PlainLeg { beta, .. } in &self.legs {
            scale = larger_magnitude(scale, beta);
            rises |= beta > 0.0;
            falls |= beta < 0.0;
        }
        if rises && falls {
            return Reading::NotPlain;
        }
        let policy = self.part.policy;
        let mut wallet = self.wallet(self.job.book.wallet_balance[account.code]);
        let legs = || (0..rows.len()).filter(|&leg| Some(leg) != left_out).map(|leg| first + leg);
        for leg in legs() {
            wallet.profit += valued.amounts[leg][0];
        }
        let mut totals = Totals::default();
        count(&mut wallet, policy, &mut totals);
        for leg in legs() {
            totals.requirement += wallet.margin_price * valued.amounts[leg][1];
        }
        let verdict = judge(&totals, self.job.book.status_of_account(account.code), policy);
        if verdict.status != AccountStatus::Ok || scale == 0.0 {
            return Reading::Settled(verdict.status);
        }
        for leg in self.legs.iter().filter(|leg| leg.beta != 0.0) {
            tile.push_leg(leg.direction, leg.terms, wallet.margin_price, leg.beta / scale, leg.lines);
        }
        tile.push(place, scale, wallet.equity, verdict.surplus);
        Reading::Waits
    }

    /// Reads the legs of an account; whether they are those of a plain one.
    fn read(&mut self, rows: &[u32], valued: &ValuedLegs<'_>, first: usize, left_out: Option<usize>) -> bool {
        let (book, trigger) = (self.job.book, self.part.policy.trigger);
        self.legs.clear();
        self.seen += 1;
        for (leg, &row) in rows.iter().enumerate() {
            if Some(leg) == left_out {
                continue;
            }
            let (row, leg) = (row as usize, first + leg);
            let (status, quantity) = (valued.status[leg], book.quantity[row]);
            let instrument = &mut self.instruments[book.instrument[row] as usize];
            let lines = instrument.lines[usize::from(quantity < 0.0)];
            let live = status < FIRST_FAILURE && status != Status::Flat as u8;
            if !live || lines == NONE || instrument.seen == self.seen {
                return false;
            }
            instrument.seen = self.seen;
            let PlainInstrument { coordinate, contract_size, beta, .. } = *instrument;
            let value = exposure::value(exposure::size(quantity, contract_size), coordinate);
            let frozen = frozen(valued.amounts[leg][1] * trigger, valued.released[leg]);
            let terms = LegTerms { value, charged: 1.0, frozen, reciprocal: false };
            self.legs.push(PlainLeg { direction: exposure::direction(quantity, 1.0), terms, beta, lines });
        }
        true
    }
}

/// The beta of the larger magnitude; the first one on a tie.
pub(crate) fn larger_magnitude(left: f64, right: f64) -> f64 {
    if right.abs() > left.abs() { right } else { left }
}
