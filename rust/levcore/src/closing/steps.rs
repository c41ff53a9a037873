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

/// A rule of [`Step`] with its numbers.
#[derive(Debug, Clone, Copy)]
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

/// Contracts that are closed of each row; all where a rule would close none, so that every step gets on.
///
/// # Formula
///
/// Of [`Step::Share`] `quantity * (max(share * value, least) / value)`, of [`Step::Tiers`] `quantity - keep`.
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
        let (quantity, value) = (steps.quantity[row], steps.value[row]);
        let some = match rule.step {
            Step::Share if value > rule.whole_up_to => {
                let share = rule.share * value;
                let aimed = if share > rule.least { share } else { rule.least };
                quantity * (aimed / value)
            }
            Step::Tiers => quantity - steps.keep[row],
            _ => quantity,
        };
        closed.push(if steps.all[row] || !(some > 0.0 && some < quantity) { quantity } else { some });
    }
    Ok(closed)
}
