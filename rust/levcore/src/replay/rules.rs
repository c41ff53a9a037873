//! What a policy says happens after the trigger, as numbers.

use crate::closing::rank::Ranking;
use crate::closing::share_out::{Fund, Payer};
use crate::closing::steps::{NextStep, Step, StepRule};
use crate::codes::vocabulary::vocabulary;

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
    /// How much is closed at a time.
    pub steps: StepRules,
}

vocabulary! {
    /// What the tiers of an instrument are keyed by, where closing goes down in them.
    pub enum LadderKey: u8 {
        Quote = 0, "quote", "the value of the position";
        Base = 1, "base", "its size in base currency";
        Contracts = 2, "contracts", "its contracts";
    }
}

/// The tiers that a position of an instrument goes down.
#[derive(Debug, Clone)]
pub struct TierLadder {
    /// What they are keyed by.
    pub key: LadderKey,
    /// Lower ends, ascending from 0.
    pub floors: Vec<f64>,
}

/// How a liquidation goes on, step by step, while it is one.
#[derive(Debug, Clone)]
pub struct StepRules {
    /// What a step closes of the legs of an account.
    pub cross: StepRule,
    /// What a step closes of an isolated position.
    pub isolated: StepRule,
    /// Whether long and short legs of one instrument in an account are first closed against each other, at the mark.
    pub nets: bool,
    /// What steps after the first close, of a share.
    pub next: NextStep,
    /// Requirement over equity from which a step closes everything.
    pub whole_level: Option<f64>,
    /// Requirement over equity from which the fund takes everything over, with what is left of the margin.
    pub take_over_level: Option<f64>,
    /// Requirement over equity down to which steps go on; else until the account is no longer liquidatable.
    pub exit_level: Option<f64>,
    /// Seconds after a step in which the next one is not a first one.
    pub cooldown: f64,
    /// Tiers that a step goes down; 0: to the lowest.
    pub tiers: usize,
    /// Tiers of longs and of shorts by instrument; read where a step goes down in them.
    pub ladders: Vec<[TierLadder; 2]>,
}

impl StepRules {
    /// Everything is closed at once.
    #[must_use]
    pub fn whole() -> Self {
        Self {
            cross: StepRule::WHOLE,
            isolated: StepRule::WHOLE,
            nets: false,
            next: NextStep::Again,
            whole_level: None,
            take_over_level: None,
            exit_level: None,
            cooldown: 0.0,
            tiers: 0,
            ladders: Vec::new(),
        }
    }

    /// Whether equity and requirement say how much is closed, or whom what is left belongs to.
    pub(crate) fn ask_for_standings(&self) -> bool {
        self.take_over_level.is_some() || [self.cross, self.isolated].iter().any(|rule| rule.step != Step::Whole)
    }
}

impl ReplayRules {
    /// The fund at a balance.
    pub(crate) fn fund(&self, balance: i64) -> Fund {
        Fund { balance, floor: self.fund_floor, largest_value: self.largest_value }
    }
}
