//! Columns of texts of a fixed width, as NumPy's `U` holds them: code points, zeros behind the last.

use crate::error::Result;
use crate::labels::numbering::{Numbered, Numbering};
use crate::labels::parts::number_rows;

/// Numbers rows of `width` code points. A code point that no text has (a lone surrogate, a number beyond Unicode) is told apart from every
/// other.
///
/// # Errors
///
/// Those of [`number_rows`].
pub fn number_code_points(points: &[u32], width: usize, threads: usize) -> Result<Numbered> {
    let width = width.max(1);
    number_rows(points.len() / width, threads, |rows, numbering, codes| {
        number_part(&points[rows.start * width..rows.end * width], width, numbering, codes)
    })
}

fn number_part(points: &[u32], width: usize, numbering: &mut Numbering, codes: &mut [u32]) -> Result<()> {
    let mut bytes = Vec::with_capacity(width);
    let mut last: Option<(&[u32], u32)> = None;
    for (row, code) in points.chunks_exact(width).zip(codes) {
        // Rows of one account or instrument often stand together.
        *code = match last {
            Some((text, code)) if text == row => code,
            _ => {
                encode(row, &mut bytes);
                numbering.text(&bytes)?
            }
        };
        last = Some((row, *code));
    }
    Ok(())
}

/// The code points as UTF-8, and what UTF-8 has no bytes for in five bytes that it does not know.
#[allow(clippy::cast_possible_truncation, reason = "a code point below 128")]
fn encode(row: &[u32], bytes: &mut Vec<u8>) {
    let all = row.iter().fold(0, |all, point| all | point);
    bytes.clear();
    if all < 0x80 {
        bytes.extend(row.iter().map(|&point| point as u8));
        let length = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        bytes.truncate(length);
        return;
    }
    let length = row.iter().rposition(|&point| point != 0).map_or(0, |last| last + 1);
    for &point in &row[..length] {
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
            [0, 0, 0],
            [0x20AC, 0, 0],
            [0, 65, 0],
            [0xD800, 0, 0],
            [0xD801, 0, 0],
        ];
        let numbered = number_code_points(texts.as_flattened(), 3, 1)?;
        assert_eq!(numbered.codes, [0, 1, 0, 2, 3, 4, 5, 6]);
        assert_eq!(numbered.first_rows, [0, 1, 3, 4, 5, 6, 7]);
        Ok(())
    }
}
