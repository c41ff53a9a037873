//! What is judged as one: isolated positions by themselves, legs with their account.

use std::ops::Range;

use crate::book::layout::Layout;
use crate::error::Result;
use crate::memory::{collected, filled};

/// What is judged as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The isolated position of this row.
    Row(u32),
    /// The account with this code.
    Account(u32),
}

/// An account with its legs.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    /// Code of the caller.
    pub code: u32,
    /// Its legs in [`Subjects::legs`], in the order of rows.
    pub legs: Range<usize>,
    /// Place among the pooled accounts of the layout, if its parts move together.
    pub pooled: Option<usize>,
}

/// The subjects of a book.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subjects {
    /// Place of each row's account; [`ISOLATED`] without one.
    pub account_of_row: Vec<u32>,
    pub accounts: Vec<Account>,
    /// Place of each account by its code; [`ISOLATED`] of those without legs.
    pub place_of_code: Vec<u32>,
    /// Rows by account.
    pub legs: Vec<u32>,
}

/// Place of a row that is judged by itself.
pub(crate) const ISOLATED: u32 = u32::MAX;

impl Subjects {
    /// Those of a book; accounts with neither legs nor balances are none.
    pub(crate) fn of(layout: &Layout) -> Result<Self> {
        let mut subjects = Self { account_of_row: filled(ISOLATED, layout.rows)?, ..Self::default() };
        let mut order = collected(
            layout.rows,
            (0..layout.account_of_row.len() as u32).filter(|&row| layout.account_of_row[row as usize] != ISOLATED),
        )?;
        order.sort_by_key(|&row| layout.account_of_row[row as usize]);
        for legs in
            order.chunk_by(|&one, &other| layout.account_of_row[one as usize] == layout.account_of_row[other as usize])
        {
            let code = layout.accounts[layout.account_of_row[legs[0] as usize] as usize];
            subjects.push(code, legs, None);
        }
        for (place, account) in layout.pooled.accounts.iter().enumerate() {
            let legs = &layout.pooled.rows[account.legs.clone()];
            if account.parts() > 0 {
                subjects.push(account.code as u32, legs, Some(place));
            }
        }
        Ok(subjects)
    }

    pub(crate) fn push(&mut self, code: u32, legs: &[u32], pooled: Option<usize>) {
        let first = self.legs.len();
        self.legs.extend_from_slice(legs);
        for &row in legs {
            self.account_of_row[row as usize] = self.accounts.len() as u32;
        }
        if self.place_of_code.len() <= code as usize {
            self.place_of_code.resize(code as usize + 1, ISOLATED);
        }
        self.place_of_code[code as usize] = self.accounts.len() as u32;
        self.accounts.push(Account { code, legs: first..self.legs.len(), pooled });
    }

    /// Whether a row is judged by itself.
    pub(crate) fn is_isolated(&self, row: u32) -> bool {
        self.account_of_row[row as usize] == ISOLATED
    }

    /// Place of the account with this code, if it has legs or balances.
    pub(crate) fn place_of(&self, code: u32) -> Option<u32> {
        self.place_of_code.get(code as usize).copied().filter(|&place| place != ISOLATED)
    }

    /// Rows of an account.
    pub(crate) fn legs_of(&self, account: u32) -> &[u32] {
        &self.legs[self.accounts[account as usize].legs.clone()]
    }
}
