//! Which rows and balances belong to which account, for whoever asks by account.

use crate::book::grouped::{Grouped, by_account};
use crate::book::keys::{Keys, check_codes};
use crate::error::Result;

/// Legs and balances by account, each ascending, and what decided so: found once a book.
#[derive(Debug, Clone)]
pub struct Members {
    pub(crate) rows: usize,
    pub(crate) accounts: usize,
    pub(crate) legs: Grouped,
    pub(crate) balances: Grouped,
}

impl Members {
    /// Groups the rows and balances of a book.
    ///
    /// # Errors
    ///
    /// As [`Layout::new`](crate::Layout::new).
    pub fn new(keys: &Keys<'_>) -> Result<Self> {
        keys.check()?;
        let accounts = keys.account.labels;
        let balances = match &keys.balances {
            None => Grouped::empty(accounts)?,
            Some(balances) => {
                check_codes("balances.account", &balances.account, balances.account.of_row.len(), |_| true)?;
                let rows = balances.account.of_row.iter().enumerate().map(|(row, &account)| (row as u32, account));
                by_account(rows, accounts)?
            }
        };
        let legs = by_account(keys.legs(), accounts)?;
        Ok(Self { rows: keys.instrument.of_row.len(), accounts, legs, balances })
    }
}
