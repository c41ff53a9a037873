//! Columns of whole numbers.

use crate::error::Result;
use crate::labels::numbering::{Numbered, Numbering};
use crate::labels::parts::number_rows;
use crate::memory::filled;

/// Numbers whose places are read together, so that one wait for memory serves all of them.
const AT_ONCE: usize = 16;
/// A range of so many numbers a row is short enough for a table of all of it.
const TABLE_A_ROW: u64 = 4;
const NO_CODE: u32 = u32::MAX;

/// Numbers a column of whole numbers.
///
/// # Errors
///
/// Those of [`number_rows`].
pub fn number_integers(values: &[i64], threads: usize) -> Result<Numbered> {
    number_rows(values.len(), threads, |rows, numbering, codes| number_part(&values[rows], numbering, codes))
}

fn number_part(values: &[i64], numbering: &mut Numbering, codes: &mut [u32]) -> Result<()> {
    let (mut least, mut greatest) = (i64::MAX, i64::MIN);
    for &value in values {
        least = least.min(value);
        greatest = greatest.max(value);
    }
    let range = greatest.abs_diff(least);
    match usize::try_from(range) {
        Ok(range) if !values.is_empty() && range as u64 / TABLE_A_ROW <= values.len() as u64 => {
            by_table(values, least, range + 1, numbering, codes)
        }
        _ => by_hash(values, numbering, codes),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a difference below the length of the table")]
fn by_table(values: &[i64], least: i64, range: usize, numbering: &mut Numbering, codes: &mut [u32]) -> Result<()> {
    let mut table = filled(NO_CODE, range)?;
    for (code, &value) in codes.iter_mut().zip(values) {
        let known = &mut table[value.abs_diff(least) as usize];
        if *known == NO_CODE {
            *known = numbering.integer(value)?;
        }
        *code = *known;
    }
    Ok(())
}

fn by_hash(values: &[i64], numbering: &mut Numbering, codes: &mut [u32]) -> Result<()> {
    for (values, codes) in values.chunks(AT_ONCE).zip(codes.chunks_mut(AT_ONCE)) {
        let mut known = [None; AT_ONCE];
        for (known, &value) in known.iter_mut().zip(values) {
            *known = numbering.known_integer(value);
        }
        for ((code, &value), known) in codes.iter_mut().zip(values).zip(known) {
            *code = match known {
                Some(known) => known,
                None => numbering.integer(value)?,
            };
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_and_far_numbers_are_numbered_alike() -> Result<()> {
        assert_eq!(
            number_integers(&[5, 3, 5, 4, 3], 1)?,
            Numbered { codes: vec![0, 1, 0, 2, 1], first_rows: vec![0, 1, 3] }
        );
        let far = [i64::MAX, i64::MIN, 0, i64::MIN, i64::MAX, -1];
        assert_eq!(number_integers(&far, 1)?, Numbered { codes: vec![0, 1, 2, 1, 0, 3], first_rows: vec![0, 1, 2, 5] });
        assert_eq!(number_integers(&[], 1)?, Numbered { codes: vec![], first_rows: vec![] });
        Ok(())
    }
}
