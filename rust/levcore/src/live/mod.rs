//! A book whose prices move tick by tick: who becomes liquidatable, at the very tick that does it, without looking at everybody.
//!
//! Every isolated position and every leg of an account is armed with bounds: while the price of its instrument stays strictly between
//! them, the verdict on it cannot change. A tick looks at those whose bounds it reaches, evaluates these by the formulas that evaluate a whole
//! book, and arms them anew; one that reaches none costs two comparisons.

mod book;
mod bounds;
mod change;
mod crossing;
mod event;
mod examine;
mod figures;
mod growth;
mod index;
mod market;
mod resident;
mod standings;
mod subjects;
mod ticks;
mod verdicts;
mod watch;

pub use book::{Levels, LiveBook, LiveKeys};
pub use bounds::Judgement;
pub use change::Amendment;
pub use event::{Event, Figures, Watched};
pub use growth::Opened;
pub use index::{Change, Subject, TriggerIndex};
pub use market::Market;
pub use resident::ResidentBook;
pub use standings::LiveTotals;
pub use ticks::Ticks;
pub use verdicts::RowVerdict;
