//! The rules of a policy as numbers: tier tables, collateral assets, levels, fees.

pub(crate) mod collateral;
pub(crate) mod curve;
pub(crate) mod line;
pub(crate) mod one_table;
pub(crate) mod parameters;
pub(crate) mod policy;
pub(crate) mod table;
pub(crate) mod tables;
pub(crate) mod tiers;

pub use collateral::Asset;
pub use parameters::{Basis, FeeBasis, HedgeRule, Rules, Threshold};
pub use policy::{Instrument, Policy, Terms};
pub use tiers::{TierKey, TierTable};
