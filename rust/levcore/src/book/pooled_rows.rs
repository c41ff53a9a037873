//! Legs of pooled accounts that lie apart, in the order of rows: each has a place among those counted by account.
//!
//! A leg leaves at its place what its account needs, and finds there what the account tells it: two cache lines in no order, and no others.

use std::ops::Range;

use crate::book::blocks::BLOCK_ROWS;
use crate::book::scattered::{KeptMemory, NOWHERE};
use crate::error::Result;
use crate::memory;

/// Legs of one policy, next to each other in the order of rows, that one thread goes over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowBlock {
    pub policy: usize,
    /// Legs in [`PooledRows::rows`].
    pub legs: Range<usize>,
}

/// The legs policy by policy and in the order of rows; nothing where accounts are kept together.
#[derive(Debug, Clone, Default)]
pub(crate) struct PooledRows {
    pub rows: Vec<u32>,
    /// Place of each leg among those counted by account.
    pub places: Vec<u32>,
    pub blocks: Vec<RowBlock>,
    /// What legs leave at their places.
    pub memory: KeptMemory<PooledMemory>,
}

impl PooledRows {
    /// Of legs given by their rows, account by account; those of each policy stand in one of these ranges. The book has `rows` rows.
    pub(crate) fn new(by_account: &[u32], policies: &[Range<usize>], rows: usize) -> Result<Self> {
        let mut found = Self::default();
        if are_together(by_account) {
            return Ok(found);
        }
        let mut place_of_row = memory::filled(NOWHERE, rows)?;
        for (place, &row) in (0..).zip(by_account) {
            place_of_row[row as usize] = place;
        }
        found.rows = memory::filled(0, by_account.len())?;
        found.places = memory::filled(0, by_account.len())?;
        let mut free = memory::collected(policies.len(), policies.iter().map(|legs| legs.start))?;
        for (row, &place) in (0..).zip(&place_of_row).filter(|&(_, &place)| place != NOWHERE) {
            let policy = policies.partition_point(|legs| legs.end <= place as usize);
            let leg = free[policy];
            free[policy] += 1;
            (found.rows[leg], found.places[leg]) = (row, place);
        }
        for (policy, legs) in policies.iter().enumerate() {
            let starts = legs.clone().step_by(BLOCK_ROWS);
            found.blocks.extend(starts.map(|start| {
                let end = legs.end.min(start + BLOCK_ROWS);
                RowBlock { policy, legs: start..end }
            }));
        }
        Ok(found)
    }
}

/// Whether most legs follow, in the order of rows, the one before them.
fn are_together(by_account: &[u32]) -> bool {
    let following = by_account.windows(2).filter(|pair| pair[1] == pair[0].wrapping_add(1)).count();
    2 * following >= by_account.len().saturating_sub(1)
}

/// Numbers that a leg leaves at its place: a cache line of them.
pub(crate) const CELL: usize = 8;

/// What is kept of the legs between the passes over a book.
#[derive(Debug)]
pub(crate) struct PooledMemory {
    cells: Vec<f64>,
    /// By leg in the order of rows.
    pub status: Vec<u8>,
}

impl PooledMemory {
    /// Of so many legs.
    pub(crate) fn new(legs: usize) -> Result<Self> {
        // One more, so that the first can start on a cache line.
        Ok(Self { cells: memory::filled(0.0, (legs + 1) * CELL)?, status: memory::filled(0, legs)? })
    }

    /// The cells by place, each on a cache line, and the status by leg.
    pub(crate) fn parts(&mut self) -> (&mut [[f64; CELL]], &mut [u8]) {
        let start = self.cells.as_ptr().align_offset(CELL * size_of::<f64>()).min(CELL);
        let cells = self.cells[start..].as_chunks_mut().0;
        (&mut cells[..self.status.len()], &mut self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legs_that_lie_apart_have_places_policy_by_policy() {
        // Accounts (7, 2) and (0, 5) under one policy, (4, 1) under another; rows 3 and 6 are none of theirs.
        let by_account = [7, 2, 0, 5, 4, 1];
        let found = PooledRows::new(&by_account, &[0..4, 4..6], 8).unwrap();
        assert_eq!(found.rows, [0, 2, 5, 7, 1, 4]);
        for (&row, &place) in found.rows.iter().zip(&found.places) {
            assert_eq!(by_account[place as usize], row);
        }
        assert_eq!(found.blocks, [RowBlock { policy: 0, legs: 0..4 }, RowBlock { policy: 1, legs: 4..6 }]);
    }

    #[test]
    fn accounts_that_are_together_need_no_places() {
        for together in [&[][..], &[3], &[0, 1, 2, 5, 6, 7]] {
            let all = std::iter::once(0..together.len()).collect::<Vec<_>>();
            assert!(PooledRows::new(together, &all, 8).unwrap().rows.is_empty());
        }
    }

    #[test]
    fn every_cell_is_a_cache_line() {
        for legs in 0..5 {
            let mut memory = PooledMemory::new(legs).unwrap();
            let (cells, status) = memory.parts();
            assert_eq!((cells.len(), status.len()), (legs, legs));
            assert!(cells.iter().all(|cell| cell.as_ptr().addr().is_multiple_of(64)));
        }
    }
}
