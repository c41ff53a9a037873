//! Rows grouped by account.

use crate::error::Result;
use crate::memory;

/// Rows by account, ascending in each.
#[derive(Debug, Clone)]
pub(crate) struct Grouped {
    /// Where the rows of each account start, and the end of the last.
    pub(crate) starts: Vec<u32>,
    pub(crate) rows: Vec<u32>,
}

impl Grouped {
    /// Nothing of any account.
    pub(crate) fn empty(accounts: usize) -> Result<Self> {
        Ok(Self { starts: memory::filled(0, accounts + 1)?, rows: Vec::new() })
    }

    /// Rows of the account with this code.
    #[inline]
    pub(crate) fn of(&self, account: usize) -> &[u32] {
        &self.rows[self.starts[account] as usize..self.starts[account + 1] as usize]
    }
}

/// Groups rows, given with their accounts in ascending order.
pub(crate) fn by_account(rows: impl Iterator<Item = (u32, u32)> + Clone, accounts: usize) -> Result<Grouped> {
    let mut starts = memory::filled(0, accounts + 1)?;
    let mut count = 0;
    for (_, account) in rows.clone() {
        starts[account as usize + 1] += 1;
        count += 1;
    }
    for account in 0..accounts {
        starts[account + 1] += starts[account];
    }
    let mut free = memory::collected(starts.len(), starts.iter().copied())?;
    let mut grouped = memory::filled(0, count)?;
    for (row, account) in rows {
        let next = &mut free[account as usize];
        grouped[*next as usize] = row;
        *next += 1;
    }
    Ok(Grouped { starts, rows: grouped })
}
