//! Rows grouped by account.

use std::ops::Range;

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

/// Adds a row to those in a range of a list: behind them where they stand last, else all of them move to the end and leave their old
/// entries behind.
pub(crate) fn append(rows: &mut Vec<u32>, held: &mut Range<usize>, row: u32) {
    if held.end != rows.len() {
        let first = rows.len();
        rows.extend_from_within(held.clone());
        *held = first..rows.len();
    }
    rows.push(row);
    held.end += 1;
}

/// Entries that nobody holds any more, for each row that there is, and some, before a list is put together anew.
const STALE_SHARE: usize = 1;
const SMALL: usize = 1_024;

/// Puts a list together without the entries that were left behind, once they are as many as its rows.
pub(crate) fn put_together<'a>(rows: &mut Vec<u32>, count: usize, held: impl Iterator<Item = &'a mut Range<usize>>) {
    if rows.len() <= SMALL + (1 + STALE_SHARE) * count {
        return;
    }
    let mut together = Vec::with_capacity(count);
    for held in held {
        let first = together.len();
        together.extend_from_slice(&rows[held.clone()]);
        *held = first..together.len();
    }
    *rows = together;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_stays_together_and_leaves_little_behind() {
        let mut rows: Vec<u32> = Vec::new();
        let mut held = vec![0..0; 3];
        for row in 0..3_000_u32 {
            append(&mut rows, &mut held[row as usize % 3], row);
            put_together(&mut rows, row as usize + 1, held.iter_mut());
            assert!(rows.len() <= SMALL + 2 * (row as usize + 1));
        }
        for (place, held) in (0..).zip(&held) {
            let expected: Vec<u32> = (0..3_000).filter(|row| row % 3 == place).collect();
            assert_eq!(rows[held.clone()], expected);
        }
    }
}
