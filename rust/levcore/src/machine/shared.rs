//! A slice that several threads write, each to rows of its own.

use std::marker::PhantomData;
use std::ptr::NonNull;

use crate::machine::vector::{LANES, Vector, prefetch};

/// Output column shared by the threads of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SharedSlice<'a, T> {
    first: NonNull<T>,
    len: usize,
    owner: PhantomData<&'a mut [T]>,
}

// SAFETY: every row of an output, and every cell of a leg, is written by the one block that holds it (a layout is a permutation), and
// nothing reads them before the pass over all blocks has ended, and with it the borrow.
#[allow(unsafe_code, reason = "threads write disjoint rows, see above")]
unsafe impl<T: Send> Send for SharedSlice<'_, T> {}
// SAFETY: as for Send.
#[allow(unsafe_code, reason = "threads write disjoint rows, see above")]
unsafe impl<T: Send> Sync for SharedSlice<'_, T> {}

impl<'a, T: Copy> SharedSlice<'a, T> {
    pub(crate) fn new(slice: &'a mut [T]) -> Self {
        Self { len: slice.len(), first: NonNull::from(slice).cast(), owner: PhantomData }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Asks for the cache line of a row that is written later; there need be no such row.
    #[inline(always)]
    pub(crate) fn prefetch(&self, row: usize) {
        prefetch(self.first.as_ptr(), row);
    }

    /// Writes `values` to consecutive rows.
    #[inline(always)]
    #[allow(unsafe_code, reason = "bounds are checked, rows belong to the calling block")]
    pub(crate) fn write_consecutive(&self, first_row: usize, values: &[T]) {
        assert!(first_row + values.len() <= self.len);
        // SAFETY: the range was checked above; no other block writes these rows; `values` is private to the calling thread.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), self.first.as_ptr().add(first_row), values.len()) }
    }

    /// Writes `values` to the rows listed.
    #[inline(always)]
    #[allow(unsafe_code, reason = "bounds are checked, rows belong to the calling block")]
    pub(crate) fn write_scattered(&self, rows: &[u32], values: &[T]) {
        for (&row, &value) in rows.iter().zip(values) {
            assert!((row as usize) < self.len);
            // SAFETY: the row was checked above and belongs to the calling block alone.
            unsafe { self.first.add(row as usize).write(value) }
        }
    }
}

impl SharedSlice<'_, f64> {
    /// Whether the first row starts on a cache line.
    pub(crate) fn starts_on_line(&self) -> bool {
        self.first.as_ptr().addr().is_multiple_of(CACHE_LINE)
    }

    /// Writes eight consecutive rows.
    #[inline(always)]
    #[allow(unsafe_code, reason = "bounds are checked, rows belong to the calling block")]
    pub(crate) fn write_vector<V: Vector>(&self, first_row: usize, values: V) {
        assert!(first_row + LANES <= self.len);
        // SAFETY: the range was checked above; eight numbers are an array of them; no other block writes or reads these rows.
        values.store(unsafe { self.first.add(first_row).cast().as_mut() });
    }

    /// Writes eight consecutive rows that fill a cache line, past the cache.
    ///
    /// An ordinary store first reads the line that it overwrites. Columns much larger than the cache are written at more than twice the
    /// speed without that. The thread must call [`fence`] before another one may read them.
    #[inline(always)]
    #[allow(unsafe_code, reason = "bounds and alignment are checked, rows belong to the calling block")]
    pub(crate) fn stream_vector<V: Vector>(&self, first_row: usize, values: V) {
        assert!(first_row + LANES <= self.len);
        // SAFETY: the range was checked above.
        let target = unsafe { self.first.add(first_row) };
        assert!(target.as_ptr().addr().is_multiple_of(CACHE_LINE));
        // SAFETY: the range was checked above, and the alignment; no other block writes these rows.
        unsafe { values.stream(target.as_ptr()) }
    }
}

/// Columns for results, each of which there may be or not.
#[derive(Debug)]
pub(crate) struct SharedColumns<'a, const COUNT: usize> {
    columns: [Option<SharedSlice<'a, f64>>; COUNT],
    /// Rows that every column has.
    rows: usize,
    /// Whether every column starts on a cache line.
    on_lines: bool,
}

/// Eight consecutive rows that all of some columns have.
#[derive(Clone, Copy)]
pub(crate) struct TileOfColumns<'c, 'a, const COUNT: usize> {
    columns: &'c SharedColumns<'a, COUNT>,
    first_row: usize,
}

/// The same, each a whole cache line of its column.
#[derive(Clone, Copy)]
pub(crate) struct LinesOfColumns<'c, 'a, const COUNT: usize> {
    columns: &'c SharedColumns<'a, COUNT>,
    first_row: usize,
}

impl<'a, const COUNT: usize> SharedColumns<'a, COUNT> {
    pub(crate) fn new(columns: [Option<SharedSlice<'a, f64>>; COUNT]) -> Self {
        let given = || columns.iter().flatten();
        Self {
            rows: given().map(SharedSlice::len).min().unwrap_or(usize::MAX),
            on_lines: given().all(SharedSlice::starts_on_line),
            columns,
        }
    }

    /// The columns that there are.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &SharedSlice<'a, f64>> {
        self.columns.iter().flatten()
    }

    /// The column at this place, if there is one.
    #[inline(always)]
    pub(crate) fn get(&self, place: usize) -> Option<&SharedSlice<'a, f64>> {
        self.columns[place].as_ref()
    }

    /// Whether every column starts on a cache line.
    pub(crate) fn start_on_lines(&self) -> bool {
        self.on_lines
    }

    /// Eight rows, looked for once for all columns.
    #[inline(always)]
    pub(crate) fn tile(&self, first_row: usize) -> TileOfColumns<'_, 'a, COUNT> {
        assert!(first_row + LANES <= self.rows);
        TileOfColumns { columns: self, first_row }
    }

    /// The same of columns that start on cache lines.
    #[inline(always)]
    pub(crate) fn lines(&self, first_row: usize) -> LinesOfColumns<'_, 'a, COUNT> {
        assert!(first_row + LANES <= self.rows && self.on_lines && first_row.is_multiple_of(LANES));
        LinesOfColumns { columns: self, first_row }
    }
}

impl<const COUNT: usize> TileOfColumns<'_, '_, COUNT> {
    /// Writes the rows of the column at this place, if there is one.
    #[inline(always)]
    #[allow(unsafe_code, reason = "bounds were checked, rows belong to the calling block")]
    pub(crate) fn write<V: Vector>(self, place: usize, values: V) {
        if let Some(column) = &self.columns.columns[place] {
            // SAFETY: `SharedColumns::tile` has seen that every column has these rows; eight numbers are an array of them; no other block
            // writes or reads these rows.
            values.store(unsafe { column.first.add(self.first_row).cast().as_mut() });
        }
    }
}

impl<const COUNT: usize> LinesOfColumns<'_, '_, COUNT> {
    /// Writes the rows of the column at this place past the cache, as [`SharedSlice::stream_vector`] does.
    #[inline(always)]
    #[allow(unsafe_code, reason = "bounds and alignment were checked, rows belong to the calling block")]
    pub(crate) fn stream<V: Vector>(self, place: usize, values: V) {
        if let Some(column) = &self.columns.columns[place] {
            // SAFETY: `SharedColumns::lines` has seen that every column has these rows and starts on a cache line, as every eighth row then
            // does; no other block writes these rows.
            unsafe { values.stream(column.first.add(self.first_row).as_ptr()) }
        }
    }
}

/// Bytes of a cache line.
const CACHE_LINE: usize = 64;

/// Makes what [`SharedSlice::stream_vector`] wrote visible to threads that synchronise with this one.
#[inline(always)]
#[allow(unsafe_code, reason = "an instruction that every x86-64 processor has")]
pub(crate) fn fence() {
    // SAFETY: SSE is part of x86-64, and the instruction touches no memory of ours.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::x86_64::_mm_sfence();
    }
}
