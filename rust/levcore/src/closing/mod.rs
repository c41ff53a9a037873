//! After the trigger: what closing costs, who pays what is missing, and which winners are deleveraged. Money is counted in whole
//! quanta of the settlement currency, so that every identity between amounts holds exactly.

mod allocate;
mod ladder;
mod quanta;
mod rank;
mod settle;
mod share_out;

pub use allocate::{Allocation, allocate};
pub use ladder::{Ladder, LadderSide, Rung};
pub use quanta::to_quanta;
pub use rank::{Ranking, Standing, ranked, scores};
pub use settle::{Closings, LossParts, loss_parts};
pub use share_out::{Claims, Payer, Payments, Pools, share_out};
