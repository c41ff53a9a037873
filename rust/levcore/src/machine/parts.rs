//! A column that is filled in parts, each by a thread.

use rayon::prelude::*;

use crate::error::Result;
use crate::machine::threads::with_pool;

/// Rows below which a part is not worth a thread.
const ROWS_OF_A_PART: usize = 1 << 14;

/// Fills a column, in parts where it is long and `threads` allow; `fill` gets the first row of a part and the part.
///
/// # Errors
///
/// [`Error::Threads`](crate::Error::Threads); inside, what `fill` says of the first part at which it fails.
pub fn fill_in_parts<T: Send, Fault: Send>(
    column: &mut [T],
    threads: usize,
    fill: impl Fn(usize, &mut [T]) -> std::result::Result<(), Fault> + Sync,
) -> Result<std::result::Result<(), Fault>> {
    let parts = threads.min(column.len() / ROWS_OF_A_PART).max(1);
    if parts == 1 {
        return Ok(fill(0, column));
    }
    let size = column.len().div_ceil(parts);
    let done: Vec<_> = with_pool(threads, || {
        column.par_chunks_mut(size).enumerate().map(|(part, column)| fill(part * size, column)).collect()
    })?;
    Ok(done.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_filled_and_the_first_fault_told() {
        let mut rows = vec![0; 3 * ROWS_OF_A_PART + 5];
        for threads in [1, 2, 4] {
            rows.fill(0);
            let filled = fill_in_parts(&mut rows, threads, |first, part| {
                for (row, value) in (first..).zip(part) {
                    *value = row;
                }
                Ok::<_, usize>(())
            });
            assert_eq!(filled, Ok(Ok(())));
            assert!(rows.iter().enumerate().all(|(row, &value)| row == value));
            let failed = fill_in_parts(&mut rows, threads, |first, part| {
                (first..first + part.len()).find(|row| row % 20_000 == 19_999).map_or(Ok(()), Err)
            });
            assert_eq!(failed, Ok(Err(19_999)));
        }
    }
}
