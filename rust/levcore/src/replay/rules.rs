//! What a policy says happens after the trigger, as numbers.

use crate::closing::rank::Ranking;
use crate::closing::share_out::{Fund, Payer};

/// Rules of a replay.
#[derive(Debug, Clone)]
pub struct ReplayRules {
    /// Fee for a close-out, a fraction of the value at the fill.
    pub fee_rate: f64,
    /// How much worse than the price that follows a position is filled, a fraction.
    pub slippage: f64,
    /// Whether the fund gets what is left of a margin; else it returns to the trader.
    pub to_fund: bool,
    /// Who pays what is missing, one after the other.
    pub payers: Vec<Payer>,
    /// Score by which winners are deleveraged.
    pub ranking: Ranking,
    /// Whether they give what is missing: at the bankruptcy price, not at the mark.
    pub winners_pay: bool,
    /// Balance below which the fund does not go, quanta.
    pub fund_floor: i64,
    /// Largest value of one claim that it takes part in, quanta.
    pub largest_value: i64,
    /// Quanta a unit of money.
    pub per_unit: f64,
    /// Lots a contract.
    pub lots_per_unit: f64,
    /// Of the ranking "random".
    pub seed: u64,
}

impl ReplayRules {
    /// The fund at a balance.
    pub(crate) fn fund(&self, balance: i64) -> Fund {
        Fund { balance, floor: self.fund_floor, largest_value: self.largest_value }
    }
}
