//! Eight numbers side by side, whatever registers the processor has for them.

use crate::machine::number::Number;

/// Numbers of a vector.
pub(crate) const LANES: usize = 8;

/// Numbers of single precision that are compared at once: a cache line.
pub(crate) const SINGLES: usize = 16;

/// Four numbers in half a cache line: what is read and written in no order stands in one line.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(32))]
pub(crate) struct HalfLine(pub [f64; 4]);

/// Eight numbers side by side; one type an instruction set.
pub(crate) trait Vector: Number {
    /// Whether formulas are compiled into one function, so that what they hand on stays in registers. Where a vector takes many registers it
    /// does not stay there anyhow, and one function of everything takes the compiler longer than all the rest of the crate.
    const FUSED: bool;

    /// Reads eight numbers.
    fn load(numbers: &[f64; LANES]) -> Self;

    /// Writes eight numbers.
    fn store(self, into: &mut [f64; LANES]);

    /// Writes eight numbers past the cache, if the processor can.
    ///
    /// # Safety
    ///
    /// `target` starts on a cache line, and eight numbers may be written there.
    #[allow(unsafe_code, reason = "writes through a pointer")]
    unsafe fn stream(self, target: *mut f64);

    /// What a comparison said, the first number in the lowest bit.
    fn bits(mask: Self::Mask) -> u8;

    /// Whole numbers from 0 to 255 as they are stored.
    fn codes(self) -> [u8; LANES];

    /// Writes the numbers rounded to single precision.
    fn store_singles(self, into: &mut [f32; LANES]);

    /// Writes whole numbers that are places in a list.
    fn store_places(self, into: &mut [u32; LANES]);

    /// Which of the thresholds lie below the number: a bit each, the first threshold in the lowest.
    fn screen(thresholds: &[f32; SINGLES], number: f32) -> u16;

    /// How many of the thresholds lie below the number; NaN has none below it.
    fn count_below(thresholds: &[f64; LANES], number: f64) -> usize;

    /// Whether [`Vector::search`] searches in registers, and so is quicker than going through the thresholds one by one.
    const SEARCHES: bool;

    /// Places in a column of sixteen numbers.
    type Places: Copy;

    /// How many thresholds lie below each number: for `numbers` of the first, for `others` of the second where `gains`, else of the third.
    /// Thresholds ascend, no more than fifteen of each, and are rounded to single precision; nothing if a number so rounded is equal to one.
    fn search(
        thresholds: [&[f32; SINGLES]; 3],
        numbers: Self,
        gains: Self::Mask,
        others: Self,
    ) -> Option<[Self::Places; 2]>;

    /// What a column holds at these places.
    fn pick(column: &[f64; SINGLES], places: Self::Places) -> Self;

    /// Two columns of eight rows that lie apart.
    fn columns_of_pairs(rows: [&[f64; 2]; LANES]) -> [Self; 2];

    /// Four columns of eight rows that lie apart.
    fn columns_of_fours(rows: [&[f64; 4]; LANES]) -> [Self; 4];

    /// Four columns as rows.
    fn rows_of_fours(columns: [Self; 4]) -> [[f64; 4]; LANES];

    /// As an array.
    #[inline(always)]
    fn array(self) -> [f64; LANES] {
        let mut array = [0.0; LANES];
        self.store(&mut array);
        array
    }
}

/// The rows of a table that stand at these places.
#[inline(always)]
pub(crate) fn rows_at<'t, const COLUMNS: usize>(
    table: &'t [[f64; COLUMNS]],
    places: &[u32; LANES],
) -> [&'t [f64; COLUMNS]; LANES] {
    let mut rows = [&table[0]; LANES];
    for lane in 0..LANES {
        rows[lane] = &table[places[lane] as usize];
    }
    rows
}

/// The half lines that stand at these places.
#[inline(always)]
pub(crate) fn half_lines_at<'t>(lines: &'t [HalfLine], places: &[u32; LANES]) -> [&'t [f64; 4]; LANES] {
    let mut rows = [&lines[0].0; LANES];
    for lane in 0..LANES {
        rows[lane] = &lines[places[lane] as usize].0;
    }
    rows
}

/// Asks for the cache line of a row that is read later, if the processor can be asked; there need be no such row.
#[inline(always)]
#[allow(unsafe_code, reason = "an instruction that reads nothing")]
pub(crate) fn prefetch<T>(column: *const T, row: usize) {
    // SAFETY: SSE is part of x86-64, and the instruction has no effect but on the cache, whatever the address.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(column.wrapping_add(row).cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (column, row);
}
