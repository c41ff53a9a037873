//! A slice that several threads write, each to rows of its own.

use std::marker::PhantomData;

use crate::machine::vector::{LANES, Vector, prefetch};

/// Output column shared by the threads of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SharedSlice<'a, T> {
    first: *mut T,
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
        Self { first: slice.as_mut_ptr(), len: slice.len(), owner: PhantomData }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Asks for the cache line of a row that is written later; there need be no such row.
    #[inline(always)]
    pub(crate) fn prefetch(&self, row: usize) {
        prefetch(self.first, row);
    }

    /// Writes `values` to consecutive rows.
    #[inline(always)]
    #[allow(unsafe_code, reason = "bounds are checked, rows belong to the calling block")]
    pub(crate) fn write_consecutive(&self, first_row: usize, values: &[T]) {
        assert!(first_row + values.len() <= self.len);
        // SAFETY: the range was checked above; no other block writes these rows; `values` is private to the calling thread.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), self.first.add(first_row), values.len()) }
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
        self.first.addr().is_multiple_of(CACHE_LINE)
    }

    /// Writes eight consecutive rows.
    #[inline(always)]
    #[allow(unsafe_code, reason = "bounds are checked, rows belong to the calling block")]
    pub(crate) fn write_vector<V: Vector>(&self, first_row: usize, values: V) {
        assert!(first_row + LANES <= self.len);
        // SAFETY: the range was checked above; eight numbers are an array of them; no other block writes or reads these rows.
        values.store(unsafe { &mut *self.first.add(first_row).cast() });
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
        assert!(target.addr().is_multiple_of(CACHE_LINE));
        // SAFETY: the range was checked above, and the alignment; no other block writes these rows.
        unsafe { values.stream(target) }
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
