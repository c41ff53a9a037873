//! A long column in parts, each numbered by a thread of its own, then all by one numbering.

use std::ops::Range;

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::labels::numbering::{Numbered, Numbering};
use crate::machine::threads::with_pool;
use crate::memory::filled;

/// Rows below which a part is not worth a thread.
const ROWS_OF_A_PART: usize = 1 << 16;

/// Numbers `rows` rows of labels, in parts where they are many and `threads` allow.
///
/// `number` writes the codes of a range of rows into the slice, by a numbering that may be the part's own. The result does not depend on
/// the parts.
///
/// # Errors
///
/// [`Error::TooManyRows`], [`Error::Threads`], [`Error::Memory`], and those of `number`.
pub fn number_rows(
    rows: usize,
    threads: usize,
    number: impl Fn(Range<usize>, &mut Numbering, &mut [u32]) -> Result<()> + Sync,
) -> Result<Numbered> {
    if rows >= u32::MAX as usize {
        return Err(Error::TooManyRows { found: rows });
    }
    let mut codes = filled(0_u32, rows)?;
    let parts = threads.min(rows / ROWS_OF_A_PART).max(1);
    if parts == 1 {
        let mut numbering = Numbering::default();
        number(0..rows, &mut numbering, &mut codes)?;
        let first_rows = first_rows(&codes, numbering.len());
        return Ok(Numbered { codes, first_rows });
    }
    let size = rows.div_ceil(parts);
    let numbered = with_pool(threads, || {
        let of_part = |(part, codes): (usize, &mut [u32])| {
            let mut numbering = Numbering::default();
            number(part * size..part * size + codes.len(), &mut numbering, codes)?;
            Ok((first_rows(codes, numbering.len()), numbering))
        };
        codes.par_chunks_mut(size).enumerate().map(of_part).collect::<Result<Vec<_>>>()
    })??;
    let (translations, first_rows) = join(numbered, size)?;
    with_pool(threads, || {
        codes.par_chunks_mut(size).skip(1).zip(&translations).for_each(|(codes, translation)| {
            codes.iter_mut().for_each(|code| *code = translation[*code as usize]);
        });
    })?;
    Ok(Numbered { codes, first_rows })
}

/// The codes of all by the codes of each part, whose first has them already, and the first row of each.
fn join(parts: Vec<(Vec<usize>, Numbering)>, size: usize) -> Result<(Vec<Vec<u32>>, Vec<usize>)> {
    let mut parts = parts.into_iter();
    let (mut first_rows, mut all) = parts.next().unwrap_or_default();
    let mut translations = Vec::new();
    for (part, (own_rows, own)) in (1..).zip(parts) {
        let translation = all.translation_of(&own)?;
        for (&code, row) in translation.iter().zip(own_rows) {
            // As codes count up, the next code is new whenever it comes.
            if code as usize == first_rows.len() {
                first_rows.push(part * size + row);
            }
        }
        translations.push(translation);
    }
    Ok((translations, first_rows))
}

/// First row of each code. As codes count up by first rows, the next code is new whenever it comes.
fn first_rows(codes: &[u32], labels: usize) -> Vec<usize> {
    let mut first = Vec::with_capacity(labels);
    for (row, &code) in codes.iter().enumerate() {
        if code as usize == first.len() {
            first.push(row);
            if first.len() == labels {
                break;
            }
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_change_nothing() -> Result<()> {
        let rows = 3 * ROWS_OF_A_PART + 17;
        let label = |row: usize| (row.wrapping_mul(2_654_435_761) >> 7) % 5000;
        let number = |range: Range<usize>, numbering: &mut Numbering, codes: &mut [u32]| {
            for (code, row) in codes.iter_mut().zip(range) {
                let label = label(row);
                *code = if label % 2 == 0 {
                    numbering.integer(i64::try_from(label).unwrap())?
                } else {
                    numbering.text(label.to_string().as_bytes())?
                };
            }
            Ok(())
        };
        let alone = number_rows(rows, 1, number)?;
        for threads in [2, 3, 7] {
            assert!(number_rows(rows, threads, number)? == alone);
        }
        for (code, &row) in alone.first_rows.iter().enumerate() {
            assert_eq!(alone.codes[row] as usize, code);
        }
        for row in 0..rows {
            assert_eq!(label(alone.first_rows[alone.codes[row] as usize]), label(row));
        }
        Ok(())
    }

    #[test]
    fn no_rows_have_no_labels() -> Result<()> {
        let numbered = number_rows(0, 4, |_, _, _| Ok(()))?;
        assert_eq!(numbered, Numbered { codes: vec![], first_rows: vec![] });
        Ok(())
    }
}
