//! How much of each position a step of a liquidation closes.

use crate::codes::vocabulary::vocabulary;
use crate::error::{Error, Result};
use crate::memory::with_room;

vocabulary! {
    /// What a step of a liquidation closes.
    pub enum Step: u8 {
        Whole = 0, "whole", "the whole position, or all positions of the account";
        Share = 1, "share", "a share of each position, at least a value, and all of a small one";
        Tiers = 2, "tiers", "so much of each that it falls some tiers; all of one in the lowest";
        LargestLoss = 3, "largest_loss", "the position of the account with the largest loss, whole, one after the other";
    }
}

vocabulary! {
    /// What the steps after the first close of positions that a share is closed of.
    pub enum NextStep: u8 {
        Whole = 0, "whole", "everything";
        Same = 1, "same", "as much as the first step";
        Again = 2, "again", "a share of what is then left";
    }
}

/// Steps after which what is still to be liquidated is closed whole; a share of 1 % then has left 1/20,000.
pub const MOST_STEPS: u32 = 1_000;

/// A rule of [`Step`] with its numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepRule {
    /// What is closed.
    pub step: Step,
    /// Share that a step closes, in (0, 1].
    pub share: f64,
    /// Value up to which a position is closed whole.
    pub whole_up_to: f64,
    /// Value that a step closes at least.
    pub least: f64,
}

/// Positions of which a step closes something, one value a row.
#[derive(Debug, Clone, Copy)]
pub struct Steps<'a> {
    /// Contracts; positive.
    pub quantity: &'a [f64],
    /// Their value at the mark; positive.
    pub value: &'a [f64],
    /// Contracts that stay where a step goes down in tiers; 0 in the lowest.
    pub keep: &'a [f64],
    /// Whether all is closed, whatever the rule: of a bankrupt account, or where a later step closes all.
    pub all: &'a [bool],
}

impl StepRule {
    /// Everything at once.
    pub const WHOLE: Self = Self { step: Step::Whole, share: 1.0, whole_up_to: 0.0, least: 0.0 };

    /// Contracts that are closed of a position; all where the rule would close none, so that every step gets on.
    ///
    /// # Formula
    ///
    /// Of [`Step::Share`] `quantity * (max(share * value, least) / value)`, of [`Step::Tiers`] `quantity - keep`.
    #[must_use]
    pub fn quantity(&self, quantity: f64, value: f64, keep: f64, all: bool) -> f64 {
        let some = match self.step {
            Step::Share if value > self.whole_up_to => {
                let share = self.share * value;
                let aimed = if share > self.least { share } else { self.least };
                quantity * (aimed / value)
            }
            Step::Tiers => quantity - keep,
            _ => quantity,
        };
        if all || !(some > 0.0 && some < quantity) { quantity } else { some }
    }
}

/// [`StepRule::quantity`] of each row.
///
/// # Errors
///
/// [`Error::Length`] for columns of several lengths.
pub fn step_quantities(rule: &StepRule, steps: &Steps<'_>) -> Result<Vec<f64>> {
    let expected = steps.quantity.len();
    for (argument, found) in [("value", steps.value.len()), ("keep", steps.keep.len()), ("all", steps.all.len())] {
        if found != expected {
            return Err(Error::Length { argument, expected, found });
        }
    }
    let mut closed = with_room(expected)?;
    for row in 0..expected {
        closed.push(rule.quantity(steps.quantity[row], steps.value[row], steps.keep[row], steps.all[row]));
    }
    Ok(closed)
}
