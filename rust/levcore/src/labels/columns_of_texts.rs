//! Columns of texts.

use crate::error::Result;
use crate::labels::numbering::Numbered;
use crate::labels::parts::number_rows;
use crate::labels::texts::{AT_ONCE, Sought};

/// Numbers a column of texts, given by row.
///
/// # Errors
///
/// Those of [`number_rows`].
pub fn number_texts<'a>(rows: usize, threads: usize, text: impl Fn(usize) -> &'a str + Sync) -> Result<Numbered> {
    number_rows(rows, threads, |rows, numbering, codes| {
        let mut runs = Runs::new(codes);
        let mut texts = [Sought::default(); AT_ONCE];
        for row in rows {
            let text = Sought::of(text(row).as_bytes());
            if runs.count > 0 && texts[runs.count - 1].is(&text) {
                runs.again();
                continue;
            }
            if runs.count == AT_ONCE {
                runs.write(numbering.codes_of(&texts)?);
            }
            texts[runs.begin()] = text;
        }
        runs.write(numbering.codes_of(&texts[..runs.count])?);
        Ok(())
    })
}

/// Numbers rows of `width` code points, as NumPy's `U` holds them, zeros behind the last. A code point that no text has (a lone surrogate, a
/// number beyond Unicode) is told apart from every other.
///
/// # Errors
///
/// Those of [`number_rows`].
pub fn number_code_points(points: &[u32], width: usize, threads: usize) -> Result<Numbered> {
    let width = width.max(1);
    number_rows(points.len() / width, threads, |rows, numbering, codes| {
        let mut runs = Runs::new(codes);
        // The texts looked up together, one behind the other, and where each of them ends.
        let (mut bytes, mut ends) = (Vec::new(), [0; AT_ONCE]);
        let mut last: &[u32] = &[];
        for text in points[rows.start * width..rows.end * width].chunks_exact(width) {
            if runs.count > 0 && text == last {
                runs.again();
                continue;
            }
            if runs.count == AT_ONCE {
                runs.write(numbering.codes_of(&cut(&bytes, &ends))?);
                bytes.clear();
            }
            encode(text, &mut bytes);
            ends[runs.begin()] = bytes.len();
            last = text;
        }
        runs.write(numbering.codes_of(&cut(&bytes, &ends)[..runs.count])?);
        Ok(())
    })
}

/// Texts that stand one behind the other, by their ends; what is behind the last one is of no meaning.
fn cut<'a>(bytes: &'a [u8], ends: &[usize; AT_ONCE]) -> [Sought<'a>; AT_ONCE] {
    let mut start = 0;
    ends.map(|end| {
        let text = bytes.get(start..end).unwrap_or_default();
        start = end;
        Sought::of(text)
    })
}

/// A column of codes that is being written: texts are collected, and looked up together. Rows of one account or instrument often stand
/// together and are one text.
struct Runs<'a> {
    codes: &'a mut [u32],
    /// The rows that each of the texts stands for.
    rows: [usize; AT_ONCE],
    /// Texts that are collected.
    count: usize,
    written: usize,
}

impl<'a> Runs<'a> {
    fn new(codes: &'a mut [u32]) -> Self {
        Self { codes, rows: [0; AT_ONCE], count: 0, written: 0 }
    }

    /// One more row of the last text.
    #[inline]
    fn again(&mut self) {
        self.rows[self.count - 1] += 1;
    }

    /// A row of another text, and its place among those collected.
    #[inline]
    fn begin(&mut self) -> usize {
        self.rows[self.count] = 1;
        self.count += 1;
        self.count - 1
    }

    /// Writes the codes of what was collected.
    fn write(&mut self, found: [u32; AT_ONCE]) {
        for (&code, &rows) in found.iter().zip(&self.rows[..self.count]) {
            if rows == 1 {
                self.codes[self.written] = code;
            } else {
                self.codes[self.written..self.written + rows].fill(code);
            }
            self.written += rows;
        }
        self.count = 0;
    }
}

/// Appends code points as UTF-8, and what UTF-8 has no bytes for in five bytes that it does not know.
#[allow(clippy::cast_possible_truncation, reason = "a code point below 128")]
fn encode(text: &[u32], bytes: &mut Vec<u8>) {
    let all = text.iter().fold(0, |all, point| all | point);
    if all < 0x80 {
        let start = bytes.len();
        bytes.extend(text.iter().map(|&point| point as u8));
        let length = bytes[start..].iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        bytes.truncate(start + length);
        return;
    }
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
        let numbered = number_code_points(texts.as_flattened(), 3, 1)?;
        assert_eq!(numbered.codes, [0, 1, 0, 0, 2, 3, 4, 5, 6]);
        assert_eq!(numbered.first_rows, [0, 1, 4, 5, 6, 7, 8]);
        Ok(())
    }

    #[test]
    fn a_text_may_come_twice_among_those_looked_up_together() -> Result<()> {
        let texts: Vec<String> = (0..500).map(|row| (row * row % 37 % 12).to_string()).collect();
        let numbered = number_texts(texts.len(), 1, |row| &texts[row])?;
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
