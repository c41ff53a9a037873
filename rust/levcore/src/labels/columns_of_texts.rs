//! Columns of texts.

use std::ops::Range;

use crate::error::Result;
use crate::labels::numbering::{Numbered, Numbering};
use crate::labels::rounds::{Coder, Column, number_column};
use crate::labels::texts::{AT_ONCE, SHORT, Text};

/// Numbers a column of texts, given by row; those that the numbering knows already keep their codes.
///
/// # Errors
///
/// [`Error::TooManyRows`](crate::Error::TooManyRows), [`Error::Threads`](crate::Error::Threads), [`Error::Memory`](crate::Error::Memory).
pub fn number_texts<'a>(
    rows: usize,
    threads: usize,
    numbering: &mut Numbering,
    text: impl Fn(usize) -> Text<'a> + Sync,
) -> Result<Numbered> {
    number_column(rows, threads, numbering, &Texts(text))
}

/// Numbers rows of `width` code points, as NumPy's `U` holds them, zeros behind the last. A code point that no text has (a lone surrogate, a
/// number beyond Unicode) is told apart from every other.
///
/// # Errors
///
/// Those of [`number_texts`].
pub fn number_code_points(points: &[u32], width: usize, threads: usize, numbering: &mut Numbering) -> Result<Numbered> {
    let width = width.max(1);
    number_column(points.len() / width, threads, numbering, &CodePoints { points, width })
}

struct Texts<F>(F);

impl<'a, F: Fn(usize) -> Text<'a> + Sync> Column for Texts<F> {
    #[inline]
    fn number(
        &self,
        mut rows: impl Iterator<Item = usize>,
        coder: &mut impl Coder,
        mut write: impl FnMut(usize, usize, u32),
    ) -> Result<()> {
        let Some(first) = rows.next() else { return Ok(()) };
        let mut texts = [Text::default(); AT_ONCE];
        let (mut runs, mut last, mut rows_of_last) = (Runs::default(), self.0(first), first..first + 1);
        for row in rows {
            let text = self.0(row);
            if row == rows_of_last.end && text.is(&last) {
                rows_of_last.end += 1;
                continue;
            }
            texts[runs.count] = last;
            if runs.push(rows_of_last) {
                runs.write(&coder.texts(&texts, &runs.firsts)?, &mut write);
            }
            (last, rows_of_last) = (text, row..row + 1);
        }
        texts[runs.count] = last;
        runs.push(rows_of_last);
        runs.write(&coder.texts(&texts[..runs.count], &runs.firsts[..runs.count])?, &mut write);
        Ok(())
    }
}

struct CodePoints<'a> {
    points: &'a [u32],
    width: usize,
}

impl Column for CodePoints<'_> {
    #[inline]
    fn number(
        &self,
        mut rows: impl Iterator<Item = usize>,
        coder: &mut impl Coder,
        mut write: impl FnMut(usize, usize, u32),
    ) -> Result<()> {
        let points = |row: usize| &self.points[row * self.width..][..self.width];
        let Some(first) = rows.next() else { return Ok(()) };
        // The texts looked up together; those that are not short and plain stand one behind the other, each up to its end.
        let (mut texts, mut bytes, mut ends) = ([Text::default(); AT_ONCE], Vec::new(), [0; AT_ONCE]);
        let (mut runs, mut last, mut rows_of_last) = (Runs::default(), points(first), first..first + 1);
        let mut add = |last: &[u32], rows: Range<usize>, runs: &mut Runs, is_end: bool| {
            let place = runs.count;
            if let Some(text) = short(last) {
                texts[place] = text;
            } else {
                encode(last, &mut bytes);
            }
            ends[place] = bytes.len();
            if runs.push(rows) || is_end {
                let texts = with_bytes(&texts, &bytes, &ends);
                runs.write(&coder.texts(&texts[..runs.count], &runs.firsts[..runs.count])?, &mut write);
                bytes.clear();
            }
            Ok(())
        };
        for row in rows {
            let text = points(row);
            if row == rows_of_last.end && text == last {
                rows_of_last.end += 1;
                continue;
            }
            add(last, rows_of_last, &mut runs, false)?;
            (last, rows_of_last) = (text, row..row + 1);
        }
        add(last, rows_of_last, &mut runs, true)
    }
}

/// Code points below 128, and not too many of them.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "a code point below 128")]
fn short(text: &[u32]) -> Option<Text<'static>> {
    if text.len() > SHORT || text.iter().fold(0, |all, point| all | point) >= 0x80 {
        return None;
    }
    let mut bytes = [0; SHORT];
    for (byte, &point) in bytes.iter_mut().zip(text) {
        *byte = point as u8;
    }
    Some(Text::until_zeros(bytes))
}

/// The texts, those that stand in `bytes` taken from there; what is behind the last one is of no meaning.
#[inline]
fn with_bytes<'a>(texts: &[Text<'a>; AT_ONCE], bytes: &'a [u8], ends: &[usize; AT_ONCE]) -> [Text<'a>; AT_ONCE] {
    let mut texts = *texts;
    if bytes.is_empty() {
        return texts;
    }
    let mut start = 0;
    for (text, &end) in texts.iter_mut().zip(ends) {
        if end > start {
            *text = Text::of(bytes.get(start..end).unwrap_or_default());
        }
        start = end;
    }
    texts
}

/// Rows whose texts are looked up together. Rows of one account or instrument often stand together and are one text.
#[derive(Default)]
struct Runs {
    /// First row of each text.
    firsts: [usize; AT_ONCE],
    /// The row behind those that each of the texts stands for.
    ends: [usize; AT_ONCE],
    /// Texts that are collected.
    count: usize,
}

impl Runs {
    /// Adds the rows of one text; whether there are now as many as are looked up together.
    #[inline]
    fn push(&mut self, rows: Range<usize>) -> bool {
        (self.firsts[self.count], self.ends[self.count]) = (rows.start, rows.end);
        self.count += 1;
        self.count == AT_ONCE
    }

    /// Writes the codes of what was collected.
    #[inline]
    fn write(&mut self, codes: &[u32; AT_ONCE], write: &mut impl FnMut(usize, usize, u32)) {
        for ((&code, &first), &end) in codes.iter().zip(&self.firsts[..self.count]).zip(&self.ends) {
            write(first, end - first, code);
        }
        self.count = 0;
    }
}

/// Appends code points as UTF-8, and what UTF-8 has no bytes for in five bytes that it does not know.
fn encode(text: &[u32], bytes: &mut Vec<u8>) {
    let length = text.iter().rposition(|&point| point != 0).map_or(0, |last| last + 1);
    for &point in &text[..length] {
        if let Some(character) = char::from_u32(point) {
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        } else {
            bytes.push(0xFF);
            bytes.extend_from_slice(&point.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_end_a_text_and_every_code_point_counts() -> Result<()> {
        let texts = [
            [65, 0, 0],
            [65, 66, 0],
            [65, 0, 0],
            [65, 0, 0],
            [0, 0, 0],
            [0x20AC, 0, 0],
            [0, 65, 0],
            [0xD800, 0, 0],
            [0xD801, 0, 0],
        ];
        let numbered = number_code_points(texts.as_flattened(), 3, 1, &mut Numbering::default())?;
        assert_eq!(numbered.codes, [0, 1, 0, 0, 2, 3, 4, 5, 6]);
        assert_eq!(numbered.first_rows, [0, 1, 4, 5, 6, 7, 8]);
        Ok(())
    }

    #[test]
    fn a_text_may_come_twice_among_those_looked_up_together() -> Result<()> {
        let texts: Vec<String> = (0..500).map(|row| (row * row % 37 % 12).to_string()).collect();
        let numbered = number_texts(texts.len(), 1, &mut Numbering::default(), |row| Text::of(texts[row].as_bytes()))?;
        for (row, text) in texts.iter().enumerate() {
            assert_eq!(&texts[numbered.first_rows[numbered.codes[row] as usize]], text);
            assert_eq!(
                texts.iter().position(|other| other == text),
                Some(numbered.first_rows[numbered.codes[row] as usize])
            );
        }
        Ok(())
    }
}
