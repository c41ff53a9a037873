//! A book replayed over prices: triggers, close-outs, payers, funding, deleveraging, step by step.
//!
//! A step costs what it changes: the trigger index says who is reached, and sums over the book are kept up to date. Money is whole quanta.

mod book;
mod close;
mod exposure;
mod liquidate;
mod liquidations;
mod record;
mod rules;
mod run;
mod winners;

pub use book::{Opening, ReplayedBook};
pub use record::{Event, EventKind, Sample};
pub use rules::{LadderKey, ReplayRules, StepRules, TierLadder};
pub use run::{Replay, Step};
