//! What a replay leaves behind: an event a position, a sample a time.

use crate::codes::vocabulary::vocabulary;

vocabulary! {
    /// What an event is.
    pub enum EventKind: u8 {
        Liquidation = 0, "liquidation", "a position is closed because its margin or its account's is used up";
        Deleveraging = 1, "deleveraging", "a winner is closed against it, in full or in part";
        Socialisation = 2, "socialisation", "a winner bears a share of a loss";
        Delisting = 3, "delisting", "a position is settled because its instrument ends";
        Netting = 4, "netting", "a leg of an account in liquidation is closed against an opposite one";
    }
}

/// One position at one instant; amounts in quanta.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// What it is.
    pub kind: EventKind,
    /// Number of the step.
    pub step: u64,
    /// Row of the position.
    pub row: u32,
    /// Contracts that are closed, with the sign of the position.
    pub quantity: f64,
    /// Price that triggered it.
    pub trigger: f64,
    /// Price at which it is closed.
    pub fill: f64,
    /// Loss from entry to trigger; negative: a gain.
    pub to_trigger: i64,
    /// Loss past the trigger.
    pub past_trigger: i64,
    /// Fees.
    pub fees: i64,
    /// What is left of the margin or wallet, told with the first position of an account.
    pub left: i64,
    /// The part of it that the fund keeps; the rest returns to the trader.
    pub kept_by_fund: i64,
    /// What the fund pays.
    pub fund: i64,
    /// What winners pay; of a winner what it gives, negative.
    pub deleveraging: i64,
    /// What all winners pay; of a winner its share, negative.
    pub socialised: i64,
    /// What nobody pays.
    pub unpaid: i64,
    /// Balance of the fund after it.
    pub fund_after: i64,
}

/// The book after a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Number of the step.
    pub step: u64,
    /// Positions that are open.
    pub open: u64,
    /// Margins, wallets and unrealized profits, in settlement currency.
    pub equity: f64,
    /// Value of all positions, both sides.
    pub open_interest: f64,
    /// Value that has been liquidated so far, at the fills, in quanta.
    pub liquidated: i64,
    /// Balance of the fund, quanta.
    pub fund: i64,
    /// What nobody has paid so far, quanta.
    pub unpaid: i64,
    /// Margins and wallets, quanta.
    pub margins: i64,
}
