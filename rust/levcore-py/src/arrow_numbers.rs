//! Columns of numbers for Arrow: copies of results, in memory that large ones take from each other.

use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use numpy::ndarray::ArrayView1;

use crate::kept_memory::{column_memory, keep_column};

/// Values whose bits are one word.
const BITS: usize = 64;

/// A copy of a column, and which of its rows are known: not those of NaN.
pub(crate) fn copied(values: ArrayView1<'_, f64>) -> (ScalarBuffer<f64>, Option<NullBuffer>) {
    let rows = values.len();
    let mut numbers = column_memory(rows);
    let mut words: Vec<u64> = Vec::with_capacity(rows.div_ceil(BITS));
    match values.as_slice() {
        // What is read is looked at at once: a large column would come from memory twice.
        Some(values) => values.chunks(BITS).for_each(|values| {
            numbers.extend_from_slice(values);
            words.push(bits_of_known(values));
        }),
        None => {
            numbers.extend(values);
            words.extend(numbers.chunks(BITS).map(bits_of_known));
        }
    }
    let known = BooleanBuffer::new(Buffer::from_vec(words), 0, rows);
    let nulls = (known.count_set_bits() < rows).then(|| NullBuffer::new(known));
    let buffer = Buffer::from_vec(numbers);
    keep_column(&buffer);
    (ScalarBuffer::new(buffer, 0, rows), nulls)
}

/// Which of up to [`BITS`] values are known, the first at the lowest bit.
fn bits_of_known(values: &[f64]) -> u64 {
    // Most values are known, and eight are looked at at once where no bit depends on them.
    if values.len() == BITS && values.iter().fold(true, |all, value| all & !value.is_nan()) {
        return u64::MAX;
    }
    values.iter().enumerate().fold(0, |bits, (place, value)| bits | u64::from(!value.is_nan()) << place)
}
