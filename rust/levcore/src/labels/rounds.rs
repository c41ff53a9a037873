//! A long column in rounds: what one thread numbered is a table that several threads look further rows up in.
//!
//! Each round is longer than all before it, so that most labels of a round are known, and no label is kept by two threads. Those that are not
//! known get their codes afterwards, in the order of rows, so that the codes do not depend on the threads.

use std::ops::Range;

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::labels::index::UNKNOWN;
use crate::labels::numbering::{Numbered, Numbering};
use crate::labels::texts::{AT_ONCE, Text};
use crate::machine::threads::with_pool;
use crate::memory::{filled, reserve, with_room};

/// Rows below which a part is not worth a thread.
const ROWS_OF_A_PART: usize = 1 << 16;
/// Rows after which it is asked whether it is worth it.
const ROWS_AT_A_TIME: usize = 1 << 12;
/// A round has so many times the rows of all before it.
const GROWTH: usize = 3;

/// Who gives codes to labels.
pub(crate) trait Coder {
    /// Codes of texts, given with the first row of each.
    fn texts(&mut self, texts: &[Text<'_>], rows: &[usize]) -> Result<[u32; AT_ONCE]>;

    /// Codes of whole numbers, given with the row of each.
    fn integers(&mut self, values: &[i64], rows: &[usize]) -> Result<[u32; AT_ONCE]>;
}

/// A column of labels.
pub(crate) trait Column: Sync {
    /// Writes the codes of rows, which ascend: those of so many rows from one on.
    fn number(
        &self,
        rows: impl Iterator<Item = usize>,
        coder: &mut impl Coder,
        write: impl FnMut(usize, usize, u32),
    ) -> Result<()>;
}

/// Labels as they are known, by any number of threads.
struct Known<'n>(&'n Numbering);

impl Coder for Known<'_> {
    #[inline]
    fn texts(&mut self, texts: &[Text<'_>], _: &[usize]) -> Result<[u32; AT_ONCE]> {
        Ok(self.0.known_texts(texts))
    }

    #[inline]
    fn integers(&mut self, values: &[i64], _: &[usize]) -> Result<[u32; AT_ONCE]> {
        Ok(self.0.known_integers(values))
    }
}

/// Labels that are added where they are new.
struct Adding<'n> {
    numbering: &'n mut Numbering,
    /// The next code.
    next: usize,
    first_rows: Vec<usize>,
}

impl Adding<'_> {
    /// Notes the first rows of codes that are new: as they count up, each is new whenever it comes.
    #[inline]
    fn note(&mut self, codes: &[u32; AT_ONCE], rows: &[usize]) -> Result<()> {
        if self.numbering.len() == self.next {
            return Ok(());
        }
        reserve(&mut self.first_rows, AT_ONCE)?;
        for (&code, &row) in codes.iter().zip(rows) {
            if code as usize == self.next {
                self.first_rows.push(row);
                self.next += 1;
            }
        }
        Ok(())
    }
}

impl Coder for Adding<'_> {
    #[inline]
    fn texts(&mut self, texts: &[Text<'_>], rows: &[usize]) -> Result<[u32; AT_ONCE]> {
        let codes = self.numbering.texts(texts)?;
        self.note(&codes, rows)?;
        Ok(codes)
    }

    #[inline]
    fn integers(&mut self, values: &[i64], rows: &[usize]) -> Result<[u32; AT_ONCE]> {
        let mut codes = self.numbering.known_integers(values);
        for (code, &value) in codes.iter_mut().zip(values) {
            if *code == UNKNOWN {
                *code = self.numbering.integer(value)?;
            }
        }
        self.note(&codes, rows)?;
        Ok(codes)
    }
}

/// Numbers a column of so many rows; labels that the numbering knows already keep their codes.
///
/// # Errors
///
/// [`Error::TooManyRows`], [`Error::Threads`], [`Error::Memory`], and those of the column.
pub(crate) fn number_column(
    rows: usize,
    threads: usize,
    numbering: &mut Numbering,
    column: &impl Column,
) -> Result<Numbered> {
    check_rows(rows, numbering)?;
    let mut codes = filled(0_u32, rows)?;
    let next = numbering.len();
    let mut adding = Adding { numbering, next, first_rows: Vec::new() };
    let (mut done, mut are_known) = (0, true);
    while done < rows {
        let left = rows - done;
        let (count, parts) = match left.min(GROWTH * done) {
            _ if threads == 1 => (left, 1),
            0 => (left.min(ROWS_OF_A_PART), 1),
            // Where most labels are new, to look them up was in vain.
            count if !are_known => (count, 1),
            count => (count, threads.min(count / ROWS_OF_A_PART).max(1)),
        };
        let round = done..done + count;
        let codes_of_round = &mut codes[round.clone()];
        let before = adding.first_rows.len();
        let found = match parts {
            1 => None,
            _ => look_up(round.clone(), threads, parts, codes_of_round, column, adding.numbering)?,
        };
        if let Some(unknown) = &found {
            column.number(unknown.iter().copied(), &mut adding, |row, count, code| {
                codes[row..row + count].fill(code);
            })?;
        } else {
            add(round, codes_of_round, column, &mut adding)?;
        }
        are_known = (parts == 1 || found.is_some()) && (adding.first_rows.len() - before) * 2 < count;
        done += count;
    }
    Ok(Numbered { codes, first_rows: adding.first_rows })
}

/// Refuses more rows than there are codes.
///
/// # Errors
///
/// [`Error::TooManyRows`].
pub fn check_rows(rows: usize, numbering: &Numbering) -> Result<()> {
    if rows.saturating_add(numbering.len()) >= u32::MAX as usize {
        return Err(Error::TooManyRows { found: rows });
    }
    Ok(())
}

fn add(rows: Range<usize>, codes: &mut [u32], column: &impl Column, adding: &mut Adding<'_>) -> Result<()> {
    let first = rows.start;
    column.number(rows, adding, |row, count, code| write(&mut codes[row - first..][..count], code))
}

/// Writes the codes of rows as far as they are known, by several threads; the others come back. None where those are too many: rows may be
/// sorted, and then each brings new labels all the time.
fn look_up(
    rows: Range<usize>,
    threads: usize,
    parts: usize,
    codes: &mut [u32],
    column: &impl Column,
    numbering: &Numbering,
) -> Result<Option<Vec<usize>>> {
    let size = rows.len().div_ceil(parts);
    let found = with_pool(threads, || {
        let parts = codes.par_chunks_mut(size).enumerate();
        let of_part = parts.map(|(part, codes)| look_up_part(rows.start + part * size, codes, column, numbering));
        of_part.collect::<Result<Vec<Option<Vec<usize>>>>>()
    })??;
    let Some(found) = found.into_iter().collect::<Option<Vec<Vec<usize>>>>() else { return Ok(None) };
    let mut unknown = with_room(found.iter().map(Vec::len).sum())?;
    found.iter().for_each(|found| unknown.extend_from_slice(found));
    Ok(Some(unknown))
}

/// The same of one thread's rows from the first on.
fn look_up_part(
    first: usize,
    codes: &mut [u32],
    column: &impl Column,
    numbering: &Numbering,
) -> Result<Option<Vec<usize>>> {
    let (mut unknown, mut looked_at) = (0, 0);
    while looked_at < codes.len() {
        let end = codes.len().min(looked_at + ROWS_AT_A_TIME);
        column.number(first + looked_at..first + end, &mut Known(numbering), |row, count, code| {
            unknown += if code == UNKNOWN { count } else { 0 };
            write(&mut codes[row - first..][..count], code);
        })?;
        looked_at = end;
        if unknown * 2 > looked_at {
            return Ok(None);
        }
    }
    let mut found = with_room(unknown)?;
    if unknown > 0 {
        found.extend((first..).zip(codes.iter()).filter(|&(_, &code)| code == UNKNOWN).map(|(row, _)| row));
    }
    Ok(Some(found))
}

/// Writes one code to a few rows, most often to one.
#[inline]
fn write(rows: &mut [u32], code: u32) {
    match rows {
        [row] => *row = code,
        rows => rows.fill(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Integers<F: Fn(usize) -> usize + Sync>(F);

    impl<F: Fn(usize) -> usize + Sync> Column for Integers<F> {
        fn number(
            &self,
            rows: impl Iterator<Item = usize>,
            coder: &mut impl Coder,
            mut write: impl FnMut(usize, usize, u32),
        ) -> Result<()> {
            for row in rows {
                write(row, 1, coder.integers(&[i64::try_from(self.0(row)).unwrap()], &[row])?[0]);
            }
            Ok(())
        }
    }

    #[test]
    fn threads_change_nothing() -> Result<()> {
        let rows = 9 * ROWS_OF_A_PART + 17;
        // Few labels, many, one a row, and such as come late.
        for label in [
            |row: usize| (row.wrapping_mul(2_654_435_761) >> 7) % 5_000,
            |row: usize| (row.wrapping_mul(2_654_435_761) >> 7) % 200_000,
            |row: usize| row,
            |row: usize| row / 100_000 * 7 + row % 3,
            |row: usize| row / 5_000,
            |row: usize| if row < 400_000 { row % 100 } else { row / 2 },
        ] {
            let alone = number_column(rows, 1, &mut Numbering::default(), &Integers(label))?;
            for threads in [2, 3, 7] {
                assert!(number_column(rows, threads, &mut Numbering::default(), &Integers(label))? == alone);
            }
            for (code, &row) in alone.first_rows.iter().enumerate() {
                assert_eq!(alone.codes[row] as usize, code);
            }
            for row in 0..rows {
                assert_eq!(label(alone.first_rows[alone.codes[row] as usize]), label(row));
            }
        }
        Ok(())
    }

    #[test]
    fn labels_that_are_known_keep_their_codes() -> Result<()> {
        for threads in [1, 2] {
            let mut numbering = Numbering::default();
            for value in [30, 10, 77] {
                numbering.integer(value)?;
            }
            let rows = 5 * ROWS_OF_A_PART;
            let numbered = number_column(rows, threads, &mut numbering, &Integers(|row| row / 4 * 10 % 50))?;
            assert_eq!(numbered.codes[..24], [3, 3, 3, 3, 1, 1, 1, 1, 4, 4, 4, 4, 0, 0, 0, 0, 5, 5, 5, 5, 3, 3, 3, 3]);
            assert_eq!(numbered.first_rows, [0, 8, 16]);
        }
        Ok(())
    }

    #[test]
    fn no_rows_have_no_labels() -> Result<()> {
        let numbered = number_column(0, 4, &mut Numbering::default(), &Integers(|_| 0))?;
        assert_eq!(numbered, Numbered { codes: vec![], first_rows: vec![] });
        Ok(())
    }
}
