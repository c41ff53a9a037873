//! The rules of a policy as numbers: tier tables, collateral assets, levels, fees.

pub(crate) mod collateral;
pub(crate) mod curve;
pub(crate) mod policy;
pub(crate) mod tables;
pub(crate) mod tiers;

pub use collateral::Asset;
pub use policy::{Basis, FeeBasis, HedgeRule, Instrument, Policy, Rules, Terms, Threshold};
pub use tiers::{TierKey, TierTable};
