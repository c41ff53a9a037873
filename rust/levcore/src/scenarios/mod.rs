//! Portfolio margin: the worst loss of an account over scenarios.

mod account;
mod arrays;
mod inputs;
mod risk;
mod scan;
mod scenario_margin;
mod scratch;
mod status;

pub use arrays::{SPAN_SCENARIOS, price_profit, span_profits};
pub use inputs::{AddOns, Legs, NO_ACCOUNT, NetAmounts, ScenarioArrays};
pub use risk::{BlockRisk, GroupRisk, NO_SCENARIO};
pub use scenario_margin::scenario_margin;
pub use status::{AccountStatus, RowStatus};
