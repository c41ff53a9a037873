//! Accounts that are settled as one whole, in a book that grows row by row.
//!
//! An account reads its legs and balances by their ranges, which is all that grows here: the blocks of a layout, and its list of who is
//! pooled, are those of the book at the beginning.

use crate::book::grouped::{append, put_together};
use crate::book::pooled_accounts::{PooledAccount, PooledAccounts};

impl PooledAccounts {
    /// Adds an account with this code, which holds nothing yet; its place.
    pub(crate) fn add(&mut self, code: usize) -> usize {
        self.accounts.push(PooledAccount { code, legs: 0..0, balances: 0..0 });
        self.accounts.len() - 1
    }

    /// Adds a row to the legs of the account at a place.
    pub(crate) fn add_leg(&mut self, place: usize, row: u32) {
        append(&mut self.rows, &mut self.accounts[place].legs, row);
        let count = row as usize + 1;
        put_together(&mut self.rows, count, self.accounts.iter_mut().map(|account| &mut account.legs));
    }

    /// Adds a row of balances to the account at a place.
    pub(crate) fn add_balance(&mut self, place: usize, row: u32) {
        append(&mut self.balances, &mut self.accounts[place].balances, row);
        let count = row as usize + 1;
        put_together(&mut self.balances, count, self.accounts.iter_mut().map(|account| &mut account.balances));
    }
}
