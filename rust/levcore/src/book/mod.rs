//! A book of positions as borrowed columns, and the order in which it is evaluated.

pub(crate) mod blocks;
pub(crate) mod columns;
pub(crate) mod grouped;
pub(crate) mod growing_accounts;
pub(crate) mod keys;
pub(crate) mod layout;
pub(crate) mod members;
mod placing;
pub(crate) mod pooled_accounts;
pub(crate) mod pooled_rows;
pub(crate) mod rows_by_account;
pub(crate) mod scattered;

pub use columns::{Balances, Book};
pub use keys::{BalanceKeys, Codes, Keys};
pub use layout::Layout;
pub use members::Members;
pub use rows_by_account::{NO_ACCOUNT, RowsByAccount};
