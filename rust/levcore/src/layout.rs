//! The order in which a book is evaluated, settled once when the book is built.
//!
//! Rows live in blocks small enough for the cache; inside a block they are grouped by instrument, so that a group has one mark and one
//! table. Rows of one cross account share a block, in the order of instrument codes and then of rows: that is the order of every
//! account's sums, whatever the number of threads.

use std::ops::Range;

use crate::error::{Error, Result};

/// Rows of a block, unless one account has more.
const BLOCK_ROWS: usize = 16_384;

/// Rows of one instrument inside of one block, as positions in the layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub instrument: u32,
    pub rows: Range<usize>,
}

/// A run of the layout that one thread evaluates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub cross: bool,
    pub rows: Range<usize>,
    pub groups: Range<usize>,
    /// Account codes whose legs are here; empty for isolated rows.
    pub accounts: Range<usize>,
    /// First row of the caller if the block's rows are consecutive there.
    pub first_row: Option<usize>,
}

/// The order of evaluation of a book.
#[derive(Debug, Clone)]
pub struct Layout {
    pub(crate) rows: usize,
    /// Row of the caller at each position; empty if every block is consecutive.
    pub(crate) order: Vec<u32>,
    pub(crate) groups: Vec<Group>,
    pub(crate) blocks: Vec<Block>,
}

impl Layout {
    /// Lays out rows by instrument code, margin mode and account code.
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
        let mut builder =
            Builder { instrument, starts: vec![0; instrument_count], seen: Vec::new(), layout: Self::empty(rows) };
        match cross {
            None => builder.isolated_blocks(None),
            Some(cross) => {
                if cross.len() != rows {
                    return Err(Error::Length { argument: "margin_mode", expected: rows, found: cross.len() });
                }
                let account = account.unwrap_or(&[]);
                if account.len() != rows {
                    return Err(Error::Length { argument: "account", expected: rows, found: account.len() });
                }
                check_codes("account", account, account_count, |row| cross[row])?;
                builder.cross_blocks(cross, account, account_count);
                builder.isolated_blocks(Some(cross));
            }
        }
        Ok(builder.finish())
    }

    fn empty(rows: usize) -> Self {
        Self { rows, order: Vec::with_capacity(rows), groups: Vec::new(), blocks: Vec::new() }
    }

    /// Whether results can be written in the caller's order without scattering.
    #[must_use]
    pub fn is_consecutive(&self) -> bool {
        self.order.is_empty()
    }

    /// Row of the caller at each position of the layout: the order in which a book is evaluated fastest.
    #[must_use]
    pub fn row_order(&self) -> Vec<u32> {
        if self.order.is_empty() {
            let rows =
                self.blocks.iter().filter_map(|block| block.first_row.map(|first| first..first + block.rows.len()));
            rows.flatten().map(|row| row as u32).collect()
        } else {
            self.order.clone()
        }
    }
}

fn check_codes(argument: &'static str, codes: &[u32], limit: usize, relevant: impl Fn(usize) -> bool) -> Result<()> {
    match codes.iter().enumerate().position(|(row, &code)| code as usize >= limit && relevant(row)) {
        Some(row) => Err(Error::Code { argument, row, found: i64::from(codes[row]), limit }),
        None => Ok(()),
    }
}

struct Builder<'a> {
    instrument: &'a [u32],
    /// Scratch by instrument code: rows counted, then the next free position.
    starts: Vec<usize>,
    /// Scratch: codes met in the current block.
    seen: Vec<u32>,
    layout: Layout,
}

impl Builder<'_> {
    fn isolated_blocks(&mut self, cross: Option<&[bool]>) {
        let isolated = |row: &usize| cross.is_none_or(|cross| !cross[*row]);
        let mut rows = (0..self.instrument.len()).filter(isolated).map(|row| row as u32);
        loop {
            let block: Vec<u32> = rows.by_ref().take(BLOCK_ROWS).collect();
            if block.is_empty() {
                break;
            }
            // No sums are taken over isolated rows, so groups may come in the order that leaves most rows where they are.
            self.push_block(&block, false, 0..0);
        }
    }

    fn cross_blocks(&mut self, cross: &[bool], account: &[u32], account_count: usize) {
        let mut legs = vec![0_u32; account_count];
        for row in (0..account.len()).filter(|&row| cross[row]) {
            legs[account[row] as usize] += 1;
        }
        let ranges = account_ranges(&legs);
        let mut block_of_account = vec![0_u32; account_count];
        let mut next = Vec::with_capacity(ranges.len() + 1);
        let mut total = 0_usize;
        for (block, range) in ranges.iter().enumerate() {
            next.push(total);
            for code in range.clone() {
                block_of_account[code] = block as u32;
                total += legs[code] as usize;
            }
        }
        let mut ends = next.clone();
        let mut rows = vec![0_u32; total];
        for row in (0..account.len()).filter(|&row| cross[row]) {
            let end = &mut ends[block_of_account[account[row] as usize] as usize];
            rows[*end] = row as u32;
            *end += 1;
        }
        for (block, range) in ranges.into_iter().enumerate() {
            self.push_block(&rows[next[block]..ends[block]], true, range);
        }
    }

    /// Groups the rows of one block by instrument: by code in cross blocks, by first appearance in isolated ones.
    fn push_block(&mut self, rows: &[u32], cross: bool, accounts: Range<usize>) {
        self.seen.clear();
        for &row in rows {
            let code = self.instrument[row as usize];
            if self.starts[code as usize] == 0 {
                self.seen.push(code);
            }
            self.starts[code as usize] += 1;
        }
        if cross {
            self.seen.sort_unstable();
        }
        let layout = &mut self.layout;
        let first = layout.order.len();
        let first_group = layout.groups.len();
        let mut position = first;
        for &code in &self.seen {
            let count = std::mem::replace(&mut self.starts[code as usize], position);
            layout.groups.push(Group { instrument: code, rows: position..position + count });
            position += count;
        }
        layout.order.resize(position, 0);
        for &row in rows {
            let free = &mut self.starts[self.instrument[row as usize] as usize];
            layout.order[*free] = row;
            *free += 1;
        }
        for &code in &self.seen {
            self.starts[code as usize] = 0;
        }
        let placed = &layout.order[first..];
        let consecutive = placed.windows(2).all(|pair| pair[1] == pair[0] + 1);
        layout.blocks.push(Block {
            cross,
            rows: first..position,
            groups: first_group..layout.groups.len(),
            accounts,
            first_row: if consecutive { Some(placed.first().map_or(0, |&row| row as usize)) } else { None },
        });
    }

    fn finish(self) -> Layout {
        let mut layout = self.layout;
        if layout.blocks.iter().all(|block| block.first_row.is_some()) {
            layout.order = Vec::new();
        }
        layout
    }
}

/// Consecutive ranges of account codes with about [`BLOCK_ROWS`] legs each.
fn account_ranges(legs: &[u32]) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let (mut first, mut held) = (0, 0);
    for (code, &count) in legs.iter().enumerate() {
        let full = held + count as usize > BLOCK_ROWS || code - first >= BLOCK_ROWS;
        if full && code > first {
            ranges.push(first..code);
            (first, held) = (code, 0);
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
    fn sorted_isolated_rows_stay_where_they_are() {
        let instrument: Vec<u32> = (0..40_000).map(|row| 9 - row / 4_000).collect();
        let layout = Layout::new(&instrument, 10, None, None, 0).unwrap();
        assert!(layout.is_consecutive() && is_permutation(&layout));
        assert_eq!(layout.blocks.len(), 3);
    }

    #[test]
    fn legs_of_an_account_share_a_block_in_the_order_of_codes() {
        let rows = 50_000_u32;
        let instrument: Vec<u32> = (0..rows).map(|row| row.wrapping_mul(2_654_435_761) % 7).collect();
        let account: Vec<u32> = (0..rows).map(|row| row.wrapping_mul(40_503) % 5_000).collect();
        let cross: Vec<bool> = (0..rows).map(|row| row % 3 != 0).collect();
        let layout = Layout::new(&instrument, 7, Some(&cross), Some(&account), 5_000).unwrap();
        assert!(is_permutation(&layout));
        for block in layout.blocks.iter().filter(|block| block.cross) {
            let mut previous = None;
            for group in &layout.groups[block.groups.clone()] {
                assert!(previous < Some(group.instrument));
                previous = Some(group.instrument);
                for &row in &layout.order[group.rows.clone()] {
                    assert!(block.accounts.contains(&(account[row as usize] as usize)));
                    assert_eq!(instrument[row as usize], group.instrument);
                }
            }
        }
    }

    #[test]
    fn codes_outside_of_their_table_are_refused() {
        assert!(matches!(Layout::new(&[0, 3], 3, None, None, 0), Err(Error::Code { row: 1, .. })));
        let refused = Layout::new(&[0], 1, Some(&[true]), Some(&[1]), 1);
        assert!(matches!(refused, Err(Error::Code { argument: "account", .. })));
    }
}
