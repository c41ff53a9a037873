//! What the blocks of one evaluation share, and the rows that need nothing else.

pub(crate) mod context;
pub(crate) mod isolated;
pub(crate) mod outputs;
pub(crate) mod rows;

pub use context::PolicyAtMarks;
pub use outputs::{AccountOutputs, BalanceOutputs, Outputs};
