//! What is kept of each row that waits at prices, and the buckets that hold rows.

use crate::error::Result;
use crate::live::bounds::Bounds;
use crate::machine::vector::prefetch;
use crate::memory::filled;

/// No bucket.
pub(super) const NOWHERE: u16 = u16::MAX;

/// The bounds of all rows of a book, and the buckets that hold them on either side.
#[derive(Debug, Default)]
pub(crate) struct Armed(pub(super) Vec<ArmedRow>);

/// What is needed of a row at once, and so stands together.
#[derive(Debug, Clone, Copy)]
pub(super) struct ArmedRow {
    pub bounds: Bounds,
    pub held: [u16; 2],
}

impl ArmedRow {
    const NONE: Self = Self { bounds: Bounds::NONE, held: [NOWHERE; 2] };
}

impl Armed {
    /// So many rows, none of which is armed.
    pub(crate) fn of(rows: usize) -> Result<Self> {
        Ok(Self(filled(ArmedRow::NONE, rows)?))
    }

    /// Bounds of a row; one that a price has taken, and that is not armed anew yet, is NaN.
    #[inline(always)]
    pub(crate) fn bounds_of(&self, row: u32) -> &Bounds {
        &self.0[row as usize].bounds
    }

    /// Asks the memory for a row.
    #[inline(always)]
    pub(crate) fn ask_for(&self, row: usize) {
        prefetch(self.0.as_ptr(), row);
    }

    /// Makes room for a row at the end.
    pub(crate) fn grow(&mut self) {
        self.grow_to(self.0.len() + 1);
    }

    /// Makes room for so many rows.
    pub(crate) fn grow_to(&mut self, rows: usize) {
        self.0.resize(rows, ArmedRow::NONE);
    }
}

/// Rows of a bucket: those that it has as a rule stand in one cache line with all that belongs to it.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Bucket {
    count: u32,
    first: [u32; 9],
    more: Vec<u32>,
}

impl Bucket {
    #[inline]
    pub(super) fn push(&mut self, row: u32) {
        match self.first.get_mut(self.count as usize) {
            Some(place) => *place = row,
            None => self.more.push(row),
        }
        self.count += 1;
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = u32> {
        self.first.iter().take(self.count as usize).chain(&self.more).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_more_than_fits_its_cache_line() {
        let mut bucket = Bucket::default();
        assert_eq!(size_of::<Bucket>(), 64);
        (0..25).for_each(|row| bucket.push(row));
        assert!(bucket.rows().eq(0..25));
    }
}
