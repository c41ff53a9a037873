//! Closed vocabularies: what a number means, and what became of a row, an account, a call.

pub(crate) mod change;
pub(crate) mod fills;
pub(crate) mod measures;
pub(crate) mod state;
pub(crate) mod status;
pub(crate) mod vocabulary;

pub use change::{ChangeKind, ChangeStatus, OrderRule, ReleaseRule};
pub use fills::FillStatus;
pub use measures::{AccountMeasure, BalanceMeasure, ByMeasure, Measure, ScenarioMeasure};
pub use state::{Levels, State, effective_level};
pub use status::{AccountStatus, FIRST_FAILURE, FIRST_PARTIAL, Status};
pub use vocabulary::Word;
