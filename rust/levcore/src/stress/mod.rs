//! Isolated positions in many scenarios at once: each position is evaluated at the few scenarios where something becomes of it.
//!
//! # Formula
//!
//! Equity and requirement of an isolated position are lines in the coordinate of its instrument between the ends of its tiers. The
//! coordinates of all scenarios are sorted, an instrument's once; a position then adds the slope and the intercept of its lines where they
//! begin and takes them off where they end, and sums along the coordinates give every scenario: `O(n log s + s i)` for `n` positions of
//! `i` instruments in `s` scenarios.
//!
//! Where lines begin and end is found by the formulas that evaluate a position, so who is liquidated, short or past the last tier in which
//! scenario is exact. Slopes and intercepts are summed with twice the digits of float64: a total differs from the sum of the positions'
//! own amounts by what those are rounded by, at most `2^-50` of the sum of their margins, entry values and values.

mod accounts;
mod bins;
mod evaluated;
mod grid;
mod index;
mod isolated;
mod judged;
mod ladder;
mod legs;
mod placed;
mod position;
mod scenarios;
mod sorted;
mod wallets;

pub use grid::{StressOutputs, stress_isolated};
pub use index::{IndexOutputs, StressIndex};
pub use scenarios::Scenarios;
pub use wallets::{AccountStressOutputs, Currencies, stress_accounts};
