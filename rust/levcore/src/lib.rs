//! levcore evaluates margin, liquidation price and mark-to-market of large books of leveraged positions.
//!
//! A policy compiles to numbers ([`policy::Policy`]); a book is a set of borrowed columns ([`book::Book`]) whose order of evaluation is
//! settled once ([`layout::Layout`]); [`evaluate::evaluate`] writes columns of results and, for every row, a [`status::Status`].
//!
//! The maintenance requirement of a position is the largest of a few lines in its value, so the surplus over it is concave and every
//! liquidation price has a closed form ([`liquidation`]). Results are the same to the last bit for every instruction set and number of
//! threads.
//!
//! # Examples
//!
//! ```
//! use levcore::book::Book;
//! use levcore::contract::{Contract, Payoff};
//! use levcore::evaluate::{AccountOutputs, BalanceOutputs, Outputs, PolicyAtMarks, evaluate};
//! use levcore::instruction_set::InstructionSet;
//! use levcore::layout::{Keys, Layout};
//! use levcore::policy::{Basis, FeeBasis, HedgeRule, Policy, Rules, Terms, Threshold};
//! use levcore::tiers::TierTable;
//!
//! # fn main() -> levcore::error::Result<()> {
//! let unknown = Threshold { level: None, inclusive: true };
//! let rules = Rules {
//!     requirement_isolated: Basis::Price,
//!     requirement_cross: Basis::Price,
//!     initial_at_entry_isolated: false,
//!     initial_at_entry_cross: false,
//!     initial_from_table: false,
//!     fee_basis: FeeBasis::None,
//!     fee_rate: 0.0,
//!     fee_in_initial: false,
//!     fee_in_maintenance: false,
//!     fee_in_bankruptcy: Some(false),
//!     warning: unknown,
//!     margin_call: unknown,
//!     liquidation_level: 1.0,
//!     liquidation_inclusive: true,
//!     hedge_rule: HedgeRule::Sum,
//!     covered_share: 0.0,
//!     liabilities_as_requirement: false,
//!     margins_at_liability_weight: false,
//! };
//! let contract = Contract::new(Payoff::Linear, 1.0, 1.0)?;
//! let policy = Policy::new(rules, &[Terms::new(contract, TierTable::single_rate(0.004)?)])?;
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
//!     balances: None,
//! };
//! let layout = Layout::new(&Keys::isolated(&[0], 1))?;
//! let (mut price, mut state, mut status) = ([0.0], [0], [0]);
//! let mut columns = [const { None }; levcore::measures::COUNT];
//! columns[levcore::measures::Measure::LiquidationPrice as usize] = Some(&mut price[..]);
//! let outputs = Outputs::new(columns, &mut state, &mut status, AccountOutputs::none(), BalanceOutputs::none());
//! let set = InstructionSet::from_environment()?;
//! let (places, marks) = (&[Some(0)], &[43_532.3]);
//! let policies = [PolicyAtMarks { policy: &policy, places, marks, places_of_assets: &[], asset_prices: &[] }];
//! evaluate(&book, &layout, &policies, &outputs, set, 1, &mut || false)?;
//! assert!((price[0] - 21_841.249_939_76).abs() < 5e-9);
//! # Ok(())
//! # }
//! ```

#![allow(clippy::neg_cmp_op_on_partial_ord, reason = "a check that NaN must fail reads `!(number < limit)`")]
#![allow(clippy::needless_range_loop, reason = "a loop over the slots of a tile indexes many columns alike")]

mod account;
mod account_reader;
pub mod book;
mod classify;
pub mod collateral;
pub mod contract;
mod cross;
mod curve;
pub mod distance;
pub mod error;
pub mod evaluate;
pub mod exposure;
mod hedge;
pub mod instruction_set;
mod isolated;
mod kernel;
pub mod layout;
pub mod liquidation;
pub mod margin;
pub mod mark_to_market;
mod marked;
pub mod measures;
mod numbering;
pub mod policy;
mod pool;
pub mod pooled_accounts;
mod ray;
mod restore;
mod rows;
mod scenario_account;
pub mod scenario_arrays;
mod scenario_scan;
mod scenario_scratch;
pub mod scenario_status;
pub mod scenarios;
pub mod settle;
mod shared;
pub mod state;
pub mod status;
mod tables;
pub mod threads;
pub mod tiers;
mod tile;
mod vector;
