//! Runs of rows that one thread evaluates.

use std::ops::Range;

/// Rows of a block, unless one account kept together has more.
pub(crate) const BLOCK_ROWS: usize = 8_192;
/// Rows whose codes fill a cache line, which then no two blocks write to.
const ROWS_OF_A_LINE: usize = 64;

/// Rows of each block of a book of so many, at most [`BLOCK_ROWS`]: blocks of one size, and not an odd number of them, so that of two
/// threads none does most of a book of ten thousand rows.
pub(crate) fn even_part(rows: usize) -> usize {
    let blocks = match rows.div_ceil(BLOCK_ROWS) {
        0 | 1 => 1,
        several => several.next_multiple_of(2),
    };
    rows.div_ceil(blocks).next_multiple_of(ROWS_OF_A_LINE).max(ROWS_OF_A_LINE)
}

/// Rows of a block, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Consecutive rows of the caller.
    Range(Range<usize>),
    /// A range of `Layout::listed`.
    Listed(Range<usize>),
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Range(range) | Self::Listed(range) => range.len(),
        }
    }

    /// Place of the first of them in `Layout::listed`, if they are listed.
    pub(crate) fn first_listed(&self) -> Option<usize> {
        match self {
            Self::Range(_) => None,
            Self::Listed(range) => Some(range.start),
        }
    }

    /// Those of them that stand at these places.
    pub(crate) fn part(&self, places: Range<usize>) -> Self {
        let within = |range: &Range<usize>| range.start + places.start..range.start + places.end;
        match self {
            Self::Range(range) => Self::Range(within(range)),
            Self::Listed(range) => Self::Listed(within(range)),
        }
    }
}

/// A run of rows that one thread evaluates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub cross: bool,
    /// Code of the policy of its rows.
    pub policy: usize,
    pub rows: Rows,
    /// Accounts whose legs are all here, by their order of first appearance; empty where legs lie apart, and for isolated rows.
    pub accounts: Range<usize>,
    /// Number of legs before the first one here.
    pub first_leg: usize,
}

/// Accounts of one policy that one thread judges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountRange {
    pub policy: usize,
    pub accounts: Range<usize>,
}

/// First row, end and number of the rows of a group.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extent {
    first: usize,
    end: usize,
    count: usize,
}

impl Extent {
    pub(crate) fn add(&mut self, row: usize) {
        if self.count == 0 {
            self.first = row;
        }
        self.end = row + 1;
        self.count += 1;
    }

    /// The rows themselves where they follow one another, else their places from `listed` on.
    pub(crate) fn place(&self, listed: &mut usize) -> Rows {
        if self.end - self.first == self.count {
            return Rows::Range(self.first..self.end);
        }
        let start = *listed;
        *listed += self.count;
        Rows::Listed(start..*listed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_of_one_size_and_two_threads_have_as_many_each() {
        for rows in [0, 1, 64, 100, 8_192] {
            assert!(even_part(rows) >= rows.max(1) && even_part(rows) <= BLOCK_ROWS, "{rows}");
        }
        for rows in [8_193_usize, 10_000, 16_384, 16_385, 24_000] {
            let part = even_part(rows);
            let blocks = rows.div_ceil(part);
            assert!(part <= BLOCK_ROWS && part.is_multiple_of(ROWS_OF_A_LINE), "{rows}");
            assert!(blocks.is_multiple_of(2) && blocks * part - rows < blocks * ROWS_OF_A_LINE, "{rows}");
        }
        assert!(even_part(1_000_000) <= BLOCK_ROWS);
    }
}
