//! Columns of numbers for Arrow: copies of results, in memory that large ones take from each other.
//!
//! The system hands out memory page by page and cleared, which takes longer than to copy a column. That of the last columns is therefore kept,
//! beside whoever holds them, and taken again once nobody does.

use std::collections::VecDeque;
use std::sync::Mutex;

use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use numpy::ndarray::ArrayView1;

/// Values whose bits are one word.
const BITS: usize = 64;
/// Bytes from which on the memory of a column is kept.
const LARGE: usize = 1 << 19;
/// Bytes of all columns that are kept at most.
const MOST_KEPT: usize = 256 << 20;

/// The last columns, whether somebody holds them or not.
static KEPT: Mutex<VecDeque<Buffer>> = Mutex::new(VecDeque::new());

/// A copy of a column, and which of its rows are known: not those of NaN.
pub(crate) fn copied(values: ArrayView1<'_, f64>) -> (ScalarBuffer<f64>, Option<NullBuffer>) {
    let rows = values.len();
    let mut numbers = memory_for(rows);
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
    keep(&buffer);
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

/// An empty vector with room for so many values: one that was kept and that nobody holds any more, if there is one that is not much larger.
fn memory_for(rows: usize) -> Vec<f64> {
    let bytes = rows * size_of::<f64>();
    // A lock that is held is not waited for: after a fork nobody might give it back.
    if bytes >= LARGE
        && let Ok(mut kept) = KEPT.try_lock()
    {
        let fits = |buffer: &Buffer| buffer.strong_count() == 1 && (bytes..=2 * bytes).contains(&buffer.capacity());
        if let Some(Ok(mut memory)) =
            kept.iter().position(fits).and_then(|place| kept.remove(place)).map(Buffer::into_vec)
        {
            memory.clear();
            return memory;
        }
    }
    Vec::with_capacity(rows)
}

/// Keeps the memory of a large column; the oldest go where there is too much.
fn keep(buffer: &Buffer) {
    if !(LARGE..=MOST_KEPT).contains(&buffer.capacity()) {
        return;
    }
    if let Ok(mut kept) = KEPT.try_lock() {
        kept.push_back(buffer.clone());
        while kept.iter().map(Buffer::capacity).sum::<usize>() > MOST_KEPT {
            kept.pop_front();
        }
    }
}
