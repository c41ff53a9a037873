//! After the trigger: what closing costs, who pays what is missing, and which winners are deleveraged. Money is counted in whole
//! quanta of the settlement currency, so that every identity between amounts holds exactly.
//!
//! [`settle`] is the whole of it for the positions that are closed at one instant: columns of rows and purses in, quanta out.
//! [`deleverage`] then says which winners close the lots that it asks for.

pub(crate) mod allocate;
pub(crate) mod cascade;
pub(crate) mod deleverage;
pub(crate) mod impact;
pub(crate) mod ladder;
pub(crate) mod loans;
pub(crate) mod loss_parts;
pub(crate) mod quanta;
pub(crate) mod rank;
pub(crate) mod settle;
pub(crate) mod share_out;
pub(crate) mod steps;
pub(crate) mod tiers_down;

pub use allocate::{Allocation, allocate};
pub use cascade::{Cascade, Stack, Wave, cascade};
pub use deleverage::{Deleveraged, Sharing, Wanted, Winners, deleverage};
pub use impact::Impact;
pub use ladder::{Ladder, LadderSide, Rung};
pub use loans::{ClosedLoans, LoanRule, Loans, close_loans};
pub use loss_parts::{Closings, LossParts, loss_parts};
pub use quanta::to_quanta;
pub use rank::{Ranking, Standing, ranked, scores};
pub use settle::{Batch, Settlement, settle};
pub use share_out::{Claims, Fund, Payer, Payments, Pools, share_out};
pub use steps::{MOST_STEPS, NextStep, Step, StepRule, Steps, step_quantities};
pub use tiers_down::contracts_to_keep;
