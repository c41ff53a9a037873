//! What if: changes of a book that have not happened yet, each evaluated on a book that holds the changed position and its account alone.
//!
//! A change touches one position and one account (a transfer two), so the changed account, copied with the change in it, is a book of its
//! own. Thousands of them are evaluated together by [`evaluate`](crate::evaluate()), and the numbers are those of the whole changed book.

pub(crate) mod apply;
pub(crate) mod changeable_book;
pub(crate) mod changes;
pub(crate) mod fills;
pub(crate) mod ledger;
pub(crate) mod orders;
pub(crate) mod outputs;
pub(crate) mod position;
pub(crate) mod read_ahead;
pub(crate) mod run;
pub(crate) mod scratch;
pub(crate) mod sparse_column;

pub use changeable_book::ChangeableBook;
pub use changes::{Changes, Codes, NONE, UNKNOWN};
pub use orders::{OrderOutputs, Orders, margin_of_orders};
pub use outputs::{ChangeOutputs, EFFECTS, Effect, Side};
pub use run::what_if;
