//! Cross accounts: their legs summed and judged, hedges and balances settled, distances and closing quantities found.

pub(crate) mod close;
pub(crate) mod cross;
pub(crate) mod distance;
#[cfg(test)]
pub(crate) mod examples;
pub(crate) mod hedge;
pub(crate) mod holding;
pub(crate) mod judging;
pub(crate) mod kept;
pub(crate) mod leave;
pub(crate) mod leg;
pub(crate) mod leg_results;
pub(crate) mod legs_on_ray;
pub(crate) mod line_up;
pub(crate) mod movers;
pub(crate) mod numbering;
pub(crate) mod plain;
pub(crate) mod pool;
pub(crate) mod pool_on_ray;
pub(crate) mod pooled_work;
pub(crate) mod rays;
pub(crate) mod reader;
pub(crate) mod settle;
pub(crate) mod settle_alone;
pub(crate) mod verdict;

pub use distance::{Betas, DistanceOutputs};
