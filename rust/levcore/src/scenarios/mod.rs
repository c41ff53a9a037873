//! Portfolio margin: the worst loss of an account over scenarios.

mod account;
mod arrays;
mod held_legs;
mod inputs;
mod measure;
mod outputs;
mod risk;
mod scan;
mod scenario_margin;
mod scratch;
mod status;

pub use arrays::{SPAN_SCENARIOS, price_profit, span_profits};
pub use inputs::{AddOns, Legs, NetAmounts, ScenarioArrays};
pub use outputs::ScenarioOutputs;
pub use risk::{NO_SCENARIO, ScenarioFindings};
pub use scenario_margin::scenario_margin;
pub use status::{AccountStatus, RowStatus};
