//! How a book is cut into blocks, settled once when the book is built.
//!
//! A block is a run of rows in the caller's order, small enough for the cache, that one thread evaluates. All legs of a cross account lie
//! in one block: where the caller keeps the legs of an account together, blocks are plain ranges of rows; where not, a block lists its
//! rows. Rows always keep the caller's order inside of a block, and that is the order of every account's sums, whatever the number of
//! threads.

use std::ops::Range;

use crate::error::{Error, Result};

/// Rows of a block, unless one account has more.
const BLOCK_ROWS: usize = 8_192;

/// Rows of a block, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Consecutive rows of the caller.
    Range(Range<usize>),
    /// A range of [`Layout::order`].
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
    /// Accounts whose legs are here, by their order of first appearance; empty for isolated rows.
    pub accounts: Range<usize>,
}

/// The blocks of a book.
#[derive(Debug, Clone)]
pub struct Layout {
    pub(crate) rows: usize,
    /// Rows of the blocks that list theirs.
    pub(crate) order: Vec<u32>,
    pub(crate) blocks: Vec<Block>,
    /// Place of each row's account in [`Layout::accounts`]; empty without cross rows.
    pub(crate) account_of_row: Vec<u32>,
    /// Account codes of the caller in the order of first appearance, then those without legs.
    pub(crate) accounts: Vec<u32>,
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
        let mut layout =
            Self { rows, order: Vec::new(), blocks: Vec::new(), account_of_row: Vec::new(), accounts: Vec::new() };
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

    /// Whether every block is a plain range of rows, so that nothing is read or written out of order.
    #[must_use]
    pub fn is_consecutive(&self) -> bool {
        self.order.is_empty()
    }

    /// Row of the caller at each position of the evaluation: a book built in this order has consecutive blocks.
    #[must_use]
    pub fn row_order(&self) -> Vec<u32> {
        let mut order = Vec::with_capacity(self.rows);
        let mut legs: Vec<u32> = Vec::new();
        for block in &self.blocks {
            match &block.rows {
                Rows::Range(range) => order.extend(range.clone().map(|row| row as u32)),
                Rows::Listed(range) => {
                    legs.clear();
                    legs.extend_from_slice(&self.order[range.clone()]);
                    if block.cross {
                        legs.sort_by_key(|&row| self.account_of_row[row as usize]);
                    }
                    order.extend_from_slice(&legs);
                }
            }
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
                let first = self.order.len();
                self.order.extend((0..cross.len()).filter(|&row| !cross[row]).map(|row| row as u32));
                self.push_ranges(first..self.order.len(), Rows::Listed);
            }
            _ => self.push_ranges(0..self.rows, Rows::Range),
        }
    }

    fn push_ranges(&mut self, rows: Range<usize>, kind: fn(Range<usize>) -> Rows) {
        for first in rows.clone().step_by(BLOCK_ROWS) {
            let rows = kind(first..rows.end.min(first + BLOCK_ROWS));
            self.blocks.push(Block { cross: false, rows, accounts: 0..0 });
        }
    }

    fn push_cross(&mut self, cross: &[bool]) {
        let mut legs = vec![0_u32; self.accounts.len()];
        for &place in self.account_of_row.iter().filter(|&&place| place != NOWHERE) {
            legs[place as usize] += 1;
        }
        let every_row = cross.iter().all(|&cross| cross);
        let together = every_row && self.account_of_row.is_sorted();
        let ranges = account_ranges(&legs);
        let mut first = self.order.len();
        if !together {
            self.list_legs(&ranges, &legs);
        }
        for accounts in ranges {
            let end = first + legs[accounts.clone()].iter().map(|&count| count as usize).sum::<usize>();
            let rows = if together { Rows::Range(first..end) } else { Rows::Listed(first..end) };
            self.blocks.push(Block { cross: true, rows, accounts });
            first = end;
        }
    }

    /// Appends the rows of each range of accounts to the order, ascending inside of each range.
    fn list_legs(&mut self, ranges: &[Range<usize>], legs: &[u32]) {
        let mut next_of_account = vec![0_u32; self.accounts.len()];
        let mut free = Vec::with_capacity(ranges.len());
        let mut total = self.order.len();
        for (block, range) in ranges.iter().enumerate() {
            free.push(total);
            for place in range.clone() {
                next_of_account[place] = block as u32;
                total += legs[place] as usize;
            }
        }
        self.order.resize(total, 0);
        for (row, &place) in self.account_of_row.iter().enumerate() {
            if place != NOWHERE {
                let next = &mut free[next_of_account[place as usize] as usize];
                self.order[*next] = row as u32;
                *next += 1;
            }
        }
    }
}

fn check_codes(argument: &'static str, codes: &[u32], limit: usize, relevant: impl Fn(usize) -> bool) -> Result<()> {
    match codes.iter().enumerate().position(|(row, &code)| code as usize >= limit && relevant(row)) {
        Some(row) => Err(Error::Code { argument, row, found: i64::from(codes[row]), limit }),
        None => Ok(()),
    }
}

/// Consecutive ranges of accounts with about [`BLOCK_ROWS`] legs each.
fn account_ranges(legs: &[u32]) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let (mut first, mut held) = (0, 0);
    for (place, &count) in legs.iter().enumerate() {
        let full = held + count as usize > BLOCK_ROWS || place - first >= BLOCK_ROWS;
        if full && place > first {
            ranges.push(first..place);
            (first, held) = (place, 0);
        }
        held += count as usize;
    }
    if first < legs.len() {
        ranges.push(first..legs.len());
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
        assert!(layout.is_consecutive() && is_permutation(&layout));
    }

    #[test]
    fn accounts_that_are_kept_together_need_no_list() {
        let account: Vec<u32> = (0..30_000).map(|row| (row / 7) ^ 1).collect();
        let accounts = *account.iter().max().unwrap() as usize + 1;
        let cross = vec![true; account.len()];
        let layout = Layout::new(&vec![0; account.len()], 1, Some(&cross), Some(&account), accounts).unwrap();
        assert!(layout.is_consecutive() && is_permutation(&layout));
        assert!(layout.blocks.len() > 1);
    }

    #[test]
    fn legs_of_an_account_share_a_block_in_the_order_of_rows() {
        let rows = 50_000_u32;
        let instrument: Vec<u32> = (0..rows).map(|row| row.wrapping_mul(2_654_435_761) % 7).collect();
        let account: Vec<u32> = (0..rows).map(|row| row.wrapping_mul(40_503) % 5_000).collect();
        let cross: Vec<bool> = (0..rows).map(|row| row % 3 != 0).collect();
        let layout = Layout::new(&instrument, 7, Some(&cross), Some(&account), 5_000).unwrap();
        assert!(is_permutation(&layout));
        for block in layout.blocks.iter().filter(|block| block.cross) {
            let Rows::Listed(range) = &block.rows else { panic!("mixed rows are listed") };
            let legs = &layout.order[range.clone()];
            assert!(legs.is_sorted());
            assert!(legs.iter().all(|&row| block.accounts.contains(&(layout.account_of_row[row as usize] as usize))));
        }
    }

    #[test]
    fn the_row_order_makes_a_consecutive_book() {
        let account: Vec<u32> = (0..9_000_u32).map(|row| row.wrapping_mul(40_503) % 800).collect();
        let cross = vec![true; account.len()];
        let layout = Layout::new(&vec![0; account.len()], 1, Some(&cross), Some(&account), 800).unwrap();
        assert!(!layout.is_consecutive());
        let sorted: Vec<u32> = layout.row_order().iter().map(|&row| account[row as usize]).collect();
        assert!(Layout::new(&vec![0; sorted.len()], 1, Some(&cross), Some(&sorted), 800).unwrap().is_consecutive());
    }

    #[test]
    fn codes_outside_of_their_table_are_refused() {
        assert!(matches!(Layout::new(&[0, 3], 3, None, None, 0), Err(Error::Code { row: 1, .. })));
        let refused = Layout::new(&[0], 1, Some(&[true]), Some(&[1]), 1);
        assert!(matches!(refused, Err(Error::Code { argument: "account", .. })));
    }
}
