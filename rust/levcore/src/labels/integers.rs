//! Columns of whole numbers.

use crate::error::Result;
use crate::labels::index::UNKNOWN;
use crate::labels::numbering::{Numbered, Numbering};
use crate::labels::rounds::{Coder, Column, check_rows, number_column};
use crate::labels::texts::AT_ONCE;
use crate::memory::{filled, reserve, with_room};

/// A range of so many numbers a row is short enough for a table of all of it.
const TABLE_A_ROW: u64 = 4;

/// Numbers a column of whole numbers; those that the numbering knows already keep their codes.
///
/// # Errors
///
/// Those of [`number_texts`](crate::labels::number_texts).
pub fn number_integers(values: &[i64], threads: usize, numbering: &mut Numbering) -> Result<Numbered> {
    let (mut least, mut greatest) = (i64::MAX, i64::MIN);
    for &value in values {
        least = least.min(value);
        greatest = greatest.max(value);
    }
    match usize::try_from(greatest.abs_diff(least)) {
        Ok(range) if !values.is_empty() && range as u64 / TABLE_A_ROW <= values.len() as u64 => {
            by_table(values, least, range + 1, numbering)
        }
        _ => number_column(values.len(), threads, numbering, &Integers(values)),
    }
}

/// Numbers whole numbers, some of which are missing: for them the empty text stands.
///
/// # Errors
///
/// Those of [`number_integers`].
pub fn number_known_integers(values: &[Option<i64>], numbering: &mut Numbering) -> Result<Numbered> {
    check_rows(values.len(), numbering)?;
    let mut codes = with_room(values.len())?;
    let (mut next, mut first_rows) = (numbering.len(), Vec::new());
    for (row, value) in values.iter().enumerate() {
        let code = match value {
            Some(value) => numbering.integer(*value)?,
            None => numbering.text(b"")?,
        };
        if code as usize == next {
            reserve(&mut first_rows, 1)?;
            first_rows.push(row);
            next += 1;
        }
        codes.push(code);
    }
    Ok(Numbered { codes, first_rows })
}

/// A table is one look at memory a row, so that one thread is at its end before others had begun.
#[allow(clippy::cast_possible_truncation, reason = "a difference below the length of the table")]
fn by_table(values: &[i64], least: i64, range: usize, numbering: &mut Numbering) -> Result<Numbered> {
    check_rows(values.len(), numbering)?;
    let mut codes = with_room(values.len())?;
    let mut table = filled(UNKNOWN, range)?;
    let (mut next, mut first_rows) = (numbering.len(), Vec::new());
    for (row, &value) in values.iter().enumerate() {
        let known = &mut table[value.abs_diff(least) as usize];
        if *known == UNKNOWN {
            *known = numbering.integer(value)?;
            if *known as usize == next {
                reserve(&mut first_rows, 1)?;
                first_rows.push(row);
                next += 1;
            }
        }
        codes.push(*known);
    }
    Ok(Numbered { codes, first_rows })
}

struct Integers<'a>(&'a [i64]);

impl Column for Integers<'_> {
    #[inline]
    fn number(
        &self,
        rows: impl Iterator<Item = usize>,
        coder: &mut impl Coder,
        mut write: impl FnMut(usize, usize, u32),
    ) -> Result<()> {
        let mut rows = rows;
        let (mut values, mut some) = ([0; AT_ONCE], [0; AT_ONCE]);
        loop {
            let mut count = 0;
            for ((value, own), row) in values.iter_mut().zip(&mut some).zip(rows.by_ref()) {
                (*value, *own) = (self.0[row], row);
                count += 1;
            }
            let codes = coder.integers(&values[..count], &some[..count])?;
            for (&row, code) in some[..count].iter().zip(codes) {
                write(row, 1, code);
            }
            if count < AT_ONCE {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(values: &[i64]) -> Result<Numbered> {
        number_integers(values, 1, &mut Numbering::default())
    }

    #[test]
    fn near_and_far_numbers_are_numbered_alike() -> Result<()> {
        assert_eq!(number(&[5, 3, 5, 4, 3])?, Numbered { codes: vec![0, 1, 0, 2, 1], first_rows: vec![0, 1, 3] });
        let far = [i64::MAX, i64::MIN, 0, i64::MIN, i64::MAX, -1];
        assert_eq!(number(&far)?, Numbered { codes: vec![0, 1, 2, 1, 0, 3], first_rows: vec![0, 1, 2, 5] });
        assert_eq!(number(&[])?, Numbered { codes: vec![], first_rows: vec![] });
        Ok(())
    }

    #[test]
    fn missing_numbers_are_the_empty_text() -> Result<()> {
        let mut numbering = Numbering::default();
        numbering.text(b"")?;
        let numbered = number_known_integers(&[Some(4), None, Some(0), Some(4)], &mut numbering)?;
        assert_eq!(numbered, Numbered { codes: vec![1, 0, 2, 1], first_rows: vec![0, 2] });
        Ok(())
    }
}
