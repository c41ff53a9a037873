//! The rows of each account, for whoever goes through a book account by account.

use std::ops::Range;

use crate::book::grouped::{Grouped, by_account};
use crate::error::{Error, Result};

/// Account code of rows that belong to none.
pub const NO_ACCOUNT: u32 = u32::MAX;

/// Rows by account, those of an account in the order of the book, in which they are summed: found once a book.
#[derive(Debug, Clone)]
pub struct RowsByAccount {
    rows: usize,
    grouped: Grouped,
    /// Whether the accounts follow one another in the rows of the book, from the first row on.
    in_order: bool,
}

impl RowsByAccount {
    /// Groups rows by the codes of their accounts; those with [`NO_ACCOUNT`] are left out.
    ///
    /// # Errors
    ///
    /// [`Error::Code`] for a code outside of the accounts, [`Error::TooManyRows`], [`Error::Memory`].
    pub fn new(account: &[u32], accounts: usize) -> Result<Self> {
        let rows = account.len();
        if u32::try_from(rows).is_err() {
            return Err(Error::TooManyRows { found: rows });
        }
        if let Some(row) = account.iter().position(|&code| code != NO_ACCOUNT && code as usize >= accounts) {
            return Err(Error::Code { argument: "account", row, found: i64::from(account[row]), limit: accounts });
        }
        let owned = account.iter().enumerate().filter(|&(_, &code)| code != NO_ACCOUNT);
        let grouped = by_account(owned.map(|(row, &code)| (row as u32, code)), accounts)?;
        let in_order = (0..).zip(&grouped.rows).all(|(place, &row)| place == row);
        Ok(Self { rows, grouped, in_order })
    }

    /// Rows of the book, those without an account too.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Number of accounts.
    pub(crate) fn accounts(&self) -> usize {
        self.grouped.starts.len() - 1
    }

    /// Rows of the account with this code.
    #[inline(always)]
    pub(crate) fn of(&self, account: usize) -> &[u32] {
        self.grouped.of(account)
    }

    /// Rows of consecutive accounts.
    #[inline(always)]
    pub(crate) fn of_all(&self, accounts: Range<usize>) -> &[u32] {
        &self.grouped.rows[self.grouped.starts[accounts.start] as usize..self.grouped.starts[accounts.end] as usize]
    }

    /// The same as a range, where they follow one another.
    #[inline(always)]
    pub(crate) fn range_of(&self, accounts: Range<usize>) -> Option<Range<usize>> {
        let Range { start, end } = accounts;
        self.in_order.then(|| self.grouped.starts[start] as usize..self.grouped.starts[end] as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_an_account_stay_in_their_order() {
        let rows = RowsByAccount::new(&[2, NO_ACCOUNT, 0, 2, 2], 4).unwrap();
        assert_eq!((rows.rows(), rows.accounts()), (5, 4));
        let lists = [0, 1, 2, 3].map(|account| rows.of(account).to_vec());
        assert_eq!(lists, [vec![2], vec![], vec![0, 3, 4], vec![]]);
        assert_eq!((rows.of_all(1..3), rows.range_of(1..3)), (&[0, 3, 4][..], None));
        let in_order = RowsByAccount::new(&[0, 0, 1, 3], 4).unwrap();
        assert_eq!((in_order.of_all(1..4), in_order.range_of(1..4)), (&[2, 3][..], Some(2..4)));
    }

    #[test]
    fn a_code_outside_of_the_accounts_is_refused() {
        let refused = RowsByAccount::new(&[0, 3], 3).unwrap_err();
        assert_eq!(refused, Error::Code { argument: "account", row: 1, found: 3, limit: 3 });
    }
}
