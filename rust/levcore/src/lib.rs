//! levcore evaluates margin, liquidation price and mark-to-market of large books of leveraged positions.
//!
//! A policy compiles to numbers ([`Policy`]); a book is a set of borrowed columns ([`Book`]) whose order of evaluation is settled once
//! ([`Layout`]); [`evaluate()`] writes columns of results and, for every row, a [`Status`]. [`measure_distances`] and
//! [`quantities_to_close`] ask whole accounts, [`leave_one_out`] asks them without each leg, [`what_if`] evaluates changes that have not
//! happened yet, [`scenarios`] is portfolio margin, [`positions_from_fills`] makes positions of fills.
//!
//! The maintenance requirement of a position is the largest of a few lines in its value, so the surplus over it is concave and every
//! liquidation price has a closed form ([`formulas::liquidation`]). Results are the same to the last bit for every instruction set and
//! number of threads.
//!
//! The rooms stand on floors, and use what lies below them only: `what_if` and `replay`, `evaluate`, `live` and `stress`, `accounts`, `job`, `tiles`, `rules`, `scenarios`, `closing`, `fills` and `labels`;
//! then `book`, `formulas`; `machine`; at the bottom `codes` and `error`. `tests/floors.rs` holds them to it.
//!
//! # Examples
//!
//! ```
//! use levcore::{
//!     AccountOutputs, BalanceOutputs, Book, ByMeasure, Contract, Execution, InstructionSet, Keys, Layout, Measure, Outputs, Payoff, Policy,
//!     PolicyAtMarks, Rules, Terms, TierTable, evaluate,
//! };
//!
//! # fn main() -> levcore::Result<()> {
//! let contract = Contract::new(Payoff::Linear, 1.0, 1.0)?;
//! let policy = Policy::new(Rules::plain(), &[Terms::new(contract, TierTable::single_rate(0.004)?)])?;
//!
//! // 0.001 BTC long from 43,578.07 with 21.82418506 of margin: Binance reported a liquidation price of 21,841.24993976.
//! let book = Book {
//!     instrument: &[0],
//!     quantity: &[0.001],
//!     entry_price: &[43_578.07],
//!     isolated_margin: Some(&[21.824_185_06]),
//!     leverage: None,
//!     accrued_funding: None,
//!     risk_limit: None,
//!     wallet_balance: &[],
//!     account_status: None,
//!     balances: None,
//! };
//! let layout = Layout::new(&Keys::isolated(&[0], 1))?;
//! let (mut price, mut state, mut status) = ([0.0], [0], [0]);
//! let mut columns = ByMeasure::none();
//! columns[Measure::LiquidationPrice] = Some(&mut price[..]);
//! let outputs = Outputs::new(columns, &mut state, &mut status, AccountOutputs::none(), BalanceOutputs::none());
//! let execution = Execution { set: InstructionSet::from_environment()?, threads: 1, interrupted: &mut || false };
//! let (places, marks) = (&[Some(0)], &[43_532.3]);
//! let policies = [PolicyAtMarks { policy: &policy, places, marks, places_of_assets: &[], asset_prices: &[] }];
//! evaluate(&book, &layout, &policies, &outputs, execution)?;
//! assert!((price[0] - 21_841.249_939_76).abs() < 5e-9);
//! # Ok(())
//! # }
//! ```

#![allow(clippy::neg_cmp_op_on_partial_ord, reason = "a check that NaN must fail reads `!(number < limit)`")]
#![allow(clippy::needless_range_loop, reason = "a loop over the slots of a tile indexes many columns alike")]

pub mod accounts;
pub mod book;
pub mod closing;
pub mod codes;
pub mod error;
pub mod evaluate;
pub mod fills;
pub mod formulas;
pub mod job;
pub mod labels;
pub mod live;
pub mod machine;
pub mod memory;
pub mod replay;
pub mod rules;
pub mod scenarios;
pub mod stress;
mod tiles;
pub mod what_if;

pub use accounts::{Betas, DistanceOutputs};
pub use book::{BalanceKeys, Balances, Book, Codes, Keys, Layout, Members, NO_ACCOUNT, RowsByAccount};
pub use codes::{AccountMeasure, AccountStatus, BalanceMeasure, ByMeasure, FillStatus, Measure, State, Status};
pub use error::{Error, Result};
pub use evaluate::{evaluate, leave_one_out, measure_distances, measure_distances_without, quantities_to_close};
pub use fills::{FILL_MEASURES, FilledPosition, Fills, positions_from_fills};
pub use formulas::contract::{Contract, Payoff};
pub use formulas::exact_sum::{ExactSum, exact_sums, exact_wholes};
pub use job::{AccountOutputs, BalanceOutputs, Outputs, PolicyAtMarks};
pub use labels::{Numbered, Numbering, Text, number_code_points, number_integers, number_known_integers, number_texts};
pub use machine::{Execution, InstructionSet};
pub use rules::{Asset, Basis, FeeBasis, HedgeRule, Policy, Rules, Terms, Threshold, TierKey, TierTable};
