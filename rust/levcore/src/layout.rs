//! How a book is cut into blocks, settled once when the book is built.
//!
//! A block is a run of rows in the caller's order, small enough for the cache, that one thread evaluates. Where the caller keeps the legs of
//! an account together, a block of cross rows holds whole accounts and is evaluated in one go; where not, the passes over all legs follow
//! one another, and the legs of each account are listed. An account's sums are always taken in the order of rows, whatever the number of
//! threads.

use std::ops::Range;

use crate::error::{Error, Result};

/// Rows of a block, unless one account kept together has more.
const BLOCK_ROWS: usize = 8_192;

/// Rows of a block, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Consecutive rows of the caller.
    Range(Range<usize>),
    /// A range of [`Layout::listed`].
    Listed(Range<usize>),
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Range(range) | Self::Listed(range) => range.len(),
        }
    }
}

/// A run of rows that one thread evaluates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub cross: bool,
    pub rows: Rows,
    /// Accounts whose legs are all here, by their order of first appearance; empty where legs lie apart, and for isolated rows.
    pub accounts: Range<usize>,
    /// Number of cross rows in the book before the first one here.
    pub first_leg: usize,
}

/// The blocks of a book.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    pub(crate) rows: usize,
    /// Rows of the blocks that list theirs.
    pub(crate) listed: Vec<u32>,
    pub(crate) blocks: Vec<Block>,
    /// Place of each row's account in [`Layout::accounts`]; empty without cross rows.
    pub(crate) account_of_row: Vec<u32>,
    /// Account codes of the caller in the order of first appearance, then those without legs.
    pub(crate) accounts: Vec<u32>,
    /// Where the legs of each account start, counted by account; one more than there are accounts.
    pub(crate) legs_of_account: Vec<u32>,
    /// Legs by account, as numbers of cross rows; empty where accounts are kept together, since that is then their own order.
    pub(crate) leg_order: Vec<u32>,
}

/// Place of rows without an account.
const NOWHERE: u32 = u32::MAX;

impl Layout {
    /// Cuts a book into blocks by margin mode and account code.
    ///
    /// `cross` says which rows belong to a cross account (`None`: all isolated); `account` holds their account codes.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] for columns of different length, [`Error::Code`] for a code outside of its table, [`Error::TooManyRows`].
    pub fn new(
        instrument: &[u32],
        instrument_count: usize,
        cross: Option<&[bool]>,
        account: Option<&[u32]>,
        account_count: usize,
    ) -> Result<Self> {
        let rows = instrument.len();
        if rows >= u32::MAX as usize {
            return Err(Error::TooManyRows { found: rows });
        }
        check_codes("instrument", instrument, instrument_count, |_| true)?;
        let mut layout = Self { rows, ..Self::default() };
        let Some(cross) = cross else {
            layout.push_isolated(None);
            return Ok(layout);
        };
        if cross.len() != rows {
            return Err(Error::Length { argument: "margin_mode", expected: rows, found: cross.len() });
        }
        let account = account.unwrap_or(&[]);
        if account.len() != rows {
            return Err(Error::Length { argument: "account", expected: rows, found: account.len() });
        }
        check_codes("account", account, account_count, |row| cross[row])?;
        layout.place_accounts(cross, account, account_count);
        layout.push_cross(cross);
        layout.push_isolated(Some(cross));
        Ok(layout)
    }

    /// Whether the caller keeps the legs of every account together, in the order of rows.
    #[must_use]
    pub fn keeps_accounts_together(&self) -> bool {
        self.leg_order.is_empty()
    }

    /// Row order of a book that keeps accounts together and is otherwise as this one: cross rows by account, then isolated rows.
    #[must_use]
    pub fn row_order(&self) -> Vec<u32> {
        let mut order = Vec::with_capacity(self.rows);
        for block in &self.blocks {
            match &block.rows {
                Rows::Range(range) => order.extend(range.clone().map(|row| row as u32)),
                Rows::Listed(range) => order.extend_from_slice(&self.listed[range.clone()]),
            }
        }
        if !self.leg_order.is_empty() {
            let legs: Vec<u32> = self.leg_order.iter().map(|&leg| order[leg as usize]).collect();
            order[..legs.len()].copy_from_slice(&legs);
        }
        order
    }

    /// Numbers the accounts by first appearance, so that accounts that are neighbours in the rows are neighbours here.
    fn place_accounts(&mut self, cross: &[bool], account: &[u32], account_count: usize) {
        let mut places = vec![NOWHERE; account_count];
        self.account_of_row = vec![NOWHERE; account.len()];
        for row in (0..account.len()).filter(|&row| cross[row]) {
            let place = &mut places[account[row] as usize];
            if *place == NOWHERE {
                *place = self.accounts.len() as u32;
                self.accounts.push(account[row]);
            }
            self.account_of_row[row] = *place;
        }
        let idle = places.iter().enumerate().filter(|&(_, &place)| place == NOWHERE);
        self.accounts.extend(idle.map(|(code, _)| code as u32));
    }

    fn push_isolated(&mut self, cross: Option<&[bool]>) {
        match cross {
            Some(cross) if cross.iter().any(|&cross| cross) => {
                let first = self.listed.len();
                self.listed.extend((0..cross.len()).filter(|&row| !cross[row]).map(|row| row as u32));
                self.push_blocks(false, first..self.listed.len(), Rows::Listed);
            }
            _ => self.push_blocks(false, 0..self.rows, Rows::Range),
        }
    }

    fn push_blocks(&mut self, cross: bool, rows: Range<usize>, kind: fn(Range<usize>) -> Rows) {
        for first in rows.clone().step_by(BLOCK_ROWS) {
            let end = rows.end.min(first + BLOCK_ROWS);
            self.blocks.push(Block { cross, rows: kind(first..end), accounts: 0..0, first_leg: first - rows.start });
        }
    }

    /// Blocks of cross rows: they come first, so that legs are numbered as they lie in the list or, where every row is one, in the book.
    fn push_cross(&mut self, cross: &[bool]) {
        let kind = if cross.iter().all(|&cross| cross) { Rows::Range } else { Rows::Listed };
        if !cross.iter().all(|&cross| cross) {
            self.listed.extend((0..cross.len()).filter(|&row| cross[row]).map(|row| row as u32));
        }
        let legs: Vec<u32> = self.account_of_row.iter().copied().filter(|&place| place != NOWHERE).collect();
        self.legs_of_account = starts_of(&legs, self.accounts.len());
        if !legs.is_sorted() {
            self.leg_order = order_by_account(&legs, &self.legs_of_account);
            self.push_blocks(true, 0..legs.len(), kind);
            return;
        }
        for accounts in account_ranges(&self.legs_of_account) {
            let rows = self.legs_of_account[accounts.start] as usize..self.legs_of_account[accounts.end] as usize;
            self.blocks.push(Block { cross: true, rows: kind(rows.clone()), accounts, first_leg: rows.start });
        }
    }
}

/// Where the legs of each account start when they are counted by account.
fn starts_of(legs: &[u32], accounts: usize) -> Vec<u32> {
    let mut starts = vec![0; accounts + 1];
    for &account in legs {
        starts[account as usize + 1] += 1;
    }
    for account in 0..accounts {
        starts[account + 1] += starts[account];
    }
    starts
}

/// Legs by account, those of one account in the order of rows.
fn order_by_account(legs: &[u32], starts: &[u32]) -> Vec<u32> {
    let mut free = starts.to_vec();
    let mut order = vec![0; legs.len()];
    for (leg, &account) in legs.iter().enumerate() {
        let next = &mut free[account as usize];
        order[*next as usize] = leg as u32;
        *next += 1;
    }
    order
}

fn check_codes(argument: &'static str, codes: &[u32], limit: usize, relevant: impl Fn(usize) -> bool) -> Result<()> {
    match codes.iter().enumerate().position(|(row, &code)| code as usize >= limit && relevant(row)) {
        Some(row) => Err(Error::Code { argument, row, found: i64::from(codes[row]), limit }),
        None => Ok(()),
    }
}

/// Consecutive ranges of accounts with about [`BLOCK_ROWS`] legs each.
fn account_ranges(starts: &[u32]) -> Vec<Range<usize>> {
    let accounts = starts.len() - 1;
    let mut ranges = Vec::new();
    let mut first = 0;
    for account in 0..accounts {
        let full = (starts[account + 1] - starts[first]) as usize > BLOCK_ROWS || account - first >= BLOCK_ROWS;
        if full && account > first {
            ranges.push(first..account);
            first = account;
        }
    }
    if first < accounts {
        ranges.push(first..accounts);
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_permutation(layout: &Layout) -> bool {
        let mut order = layout.row_order();
        order.sort_unstable();
        order.iter().enumerate().all(|(row, &found)| row == found as usize) && order.len() == layout.rows
    }

    #[test]
    fn isolated_rows_stay_where_they_are() {
        let instrument: Vec<u32> = (0..40_000).map(|row| row % 10).collect();
        let layout = Layout::new(&instrument, 10, None, None, 0).unwrap();
        assert!(layout.keeps_accounts_together() && is_permutation(&layout));
    }

    #[test]
    fn accounts_that_are_kept_together_need_no_list() {
        let account: Vec<u32> = (0..30_000).map(|row| (row / 7) ^ 1).collect();
        let accounts = *account.iter().max().unwrap() as usize + 1;
        let cross = vec![true; account.len()];
        let layout = Layout::new(&vec![0; account.len()], 1, Some(&cross), Some(&account), accounts).unwrap();
        assert!(layout.keeps_accounts_together() && is_permutation(&layout));
        assert!(layout.blocks.len() > 1);
    }

    #[test]
    fn legs_that_lie_apart_are_listed_in_the_order_of_rows() {
        let rows = 50_000_u32;
        let instrument: Vec<u32> = (0..rows).map(|row| row.wrapping_mul(2_654_435_761) % 7).collect();
        let account: Vec<u32> = (0..rows).map(|row| row.wrapping_mul(40_503) % 5_000).collect();
        let cross: Vec<bool> = (0..rows).map(|row| row % 3 != 0).collect();
        let layout = Layout::new(&instrument, 7, Some(&cross), Some(&account), 5_000).unwrap();
        assert!(is_permutation(&layout));
        let rows_of_legs: Vec<u32> = (0..rows).filter(|&row| cross[row as usize]).collect();
        for (place, &code) in layout.accounts.iter().enumerate() {
            let range = layout.legs_of_account[place] as usize..layout.legs_of_account[place + 1] as usize;
            let legs = &layout.leg_order[range];
            assert!(legs.is_sorted() && !legs.is_empty());
            assert!(legs.iter().all(|&leg| account[rows_of_legs[leg as usize] as usize] == code));
        }
    }

    #[test]
    fn the_row_order_makes_a_book_that_keeps_accounts_together() {
        let account: Vec<u32> = (0..9_000_u32).map(|row| row.wrapping_mul(40_503) % 800).collect();
        let cross = vec![true; account.len()];
        let layout = Layout::new(&vec![0; account.len()], 1, Some(&cross), Some(&account), 800).unwrap();
        assert!(!layout.keeps_accounts_together());
        let sorted: Vec<u32> = layout.row_order().iter().map(|&row| account[row as usize]).collect();
        assert!(
            Layout::new(&vec![0; sorted.len()], 1, Some(&cross), Some(&sorted), 800).unwrap().keeps_accounts_together()
        );
    }

    #[test]
    fn codes_outside_of_their_table_are_refused() {
        assert!(matches!(Layout::new(&[0, 3], 3, None, None, 0), Err(Error::Code { row: 1, .. })));
        let refused = Layout::new(&[0], 1, Some(&[true]), Some(&[1]), 1);
        assert!(matches!(refused, Err(Error::Code { argument: "account", .. })));
    }
}
