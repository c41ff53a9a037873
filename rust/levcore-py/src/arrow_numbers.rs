//! Columns of numbers for Arrow: which of them are known, and memory that is lent for as long as anybody reads it.

use std::panic::AssertUnwindSafe;
use std::ptr::NonNull;
use std::sync::Arc;

use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;

use crate::errors::{alias, not_contiguous};

/// Values whose bits are one word.
pub(crate) const BITS: usize = 64;

/// Which of up to [`BITS`] values are known, the first at the lowest bit.
#[inline]
pub(crate) fn bits_of_known(values: &[f64]) -> u64 {
    values.iter().rev().fold(0, |bits, value| bits << 1 | u64::from(!value.is_nan()))
}

/// Which rows are known, by the words of their bits; None where all are.
pub(crate) fn known(rows: usize, words: impl Iterator<Item = u64>) -> PyResult<Option<NullBuffer>> {
    let words = words.collect::<Vec<_>>();
    let known = BooleanBuffer::new(Buffer::from_vec(words), 0, rows);
    Ok((known.count_set_bits() < rows).then(|| NullBuffer::new(known)))
}

/// Copies numbers into memory of NumPy's, and lends it to Arrow; also which of them are known.
pub(crate) fn lent_numbers(
    values: &[f64],
    memory: &Bound<'_, PyArray1<f64>>,
) -> PyResult<(ScalarBuffer<f64>, Option<NullBuffer>)> {
    let mut borrowed = memory.try_readwrite().map_err(|error| alias("memory", &error.to_string()))?;
    let room = borrowed.as_slice_mut().map_err(|_| not_contiguous("memory"))?;
    if room.len() != values.len() {
        return Err(not_contiguous("memory"));
    }
    let of_words = room.chunks_mut(BITS).zip(values.chunks(BITS)).map(|(room, values)| {
        room.copy_from_slice(values);
        bits_of_known(values)
    });
    let known = known(values.len(), of_words)?;
    let first = NonNull::from(&mut *room).cast::<u8>();
    let bytes = size_of_val(room);
    drop(borrowed);
    let owner = Arc::new(AssertUnwindSafe(memory.clone().unbind()));
    #[allow(unsafe_code, reason = "Arrow takes memory of others by its address")]
    // SAFETY: `first` is the address of `bytes` bytes, which the array holds as long as it lives, and the owner holds the array. Nobody writes
    // to them any more: the memory was taken for this column alone (`levcore.engine.frames`), and whoever takes it next has it from the owner.
    let buffer = unsafe { Buffer::from_custom_allocation(first, bytes, owner) };
    Ok((ScalarBuffer::new(buffer, 0, values.len()), known))
}
