//! A book whose prices move tick by tick: who becomes liquidatable, at the very tick that does it, without looking at everybody.
//!
//! Every isolated position and every leg of an account is armed with bounds: while the price of its instrument stays strictly between
//! them, the verdict on it cannot change. A tick looks at those whose bounds it reaches, evaluates these by the formulas that evaluate a whole
//! book, and arms them anew; one that reaches none costs two comparisons.

pub(crate) mod armed;
pub(crate) mod asked;
pub(crate) mod balances;
pub(crate) mod book;
pub(crate) mod bounds;
pub(crate) mod change;
pub(crate) mod crossing;
pub(crate) mod draw_lines;
pub(crate) mod edges;
pub(crate) mod event;
pub(crate) mod examine;
pub(crate) mod examine_accounts;
pub(crate) mod figures;
pub(crate) mod follow;
pub(crate) mod growth;
pub(crate) mod holders;
pub(crate) mod index;
pub(crate) mod lines;
pub(crate) mod market;
pub(crate) mod pooled_reach;
pub(crate) mod resident;
pub(crate) mod session;
pub(crate) mod sides;
pub(crate) mod standings;
pub(crate) mod subjects;
pub(crate) mod ticks;
pub(crate) mod verdicts;
pub(crate) mod watch;

pub use balances::{BalanceAmendment, BalancesOf};
pub use book::{Levels, LiveBook, LiveKeys};
pub use bounds::Judgement;
pub use change::Amendment;
pub use event::{Event, Figures, Watched};
pub use growth::Opened;
pub use index::{Change, TriggerIndex};
pub use market::Market;
pub use resident::{ResidentBalances, ResidentBook};
pub use session::Session;
pub use sides::SideTotals;
pub use standings::LiveTotals;
pub use subjects::Subject;
pub use ticks::Ticks;
pub use verdicts::RowVerdict;
