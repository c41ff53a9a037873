//! Codes of labels, texts and whole numbers side by side.

use crate::error::Result;
use crate::labels::index::{Index, code_of, hash_of_integer};
use crate::labels::texts::Texts;

/// A column as codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    /// Code of each row: equal labels have equal codes, which count up by first rows.
    pub codes: Vec<u32>,
    /// First row of each code.
    pub first_rows: Vec<usize>,
}

/// What a label is, and its place among those of its kind.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text(u32),
    Integer(i64),
}

/// Labels by the codes that they were given, in the order in which they came.
#[derive(Debug, Default)]
pub struct Numbering {
    texts: Texts,
    codes_of_texts: Vec<u32>,
    integers: Index,
    values: Vec<i64>,
    codes_of_integers: Vec<u32>,
    kinds: Vec<Kind>,
}

impl Numbering {
    /// How many labels there are: the next code.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Code of a text, a new one where it is new.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`](crate::Error::Memory) where there is no room for it.
    #[inline]
    pub fn text(&mut self, text: &[u8]) -> Result<u32> {
        let (place, is_new) = self.texts.place(text)?;
        if is_new {
            self.codes_of_texts.push(code_of(self.kinds.len()));
            self.kinds.push(Kind::Text(place));
        }
        Ok(self.codes_of_texts[place as usize])
    }

    /// Code of a whole number, a new one where it is new; no text is equal to it.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`](crate::Error::Memory) where there is no room for it.
    #[inline]
    pub fn integer(&mut self, value: i64) -> Result<u32> {
        let hash = hash_of_integer(value.cast_unsigned());
        let place = match self.integers.find(hash, |place| self.values[place as usize] == value) {
            Some(place) => place,
            None => {
                self.values.push(value);
                self.codes_of_integers.push(code_of(self.kinds.len()));
                self.kinds.push(Kind::Integer(value));
                self.integers.add(hash)?
            }
        };
        Ok(self.codes_of_integers[place as usize])
    }

    /// Reads where a whole number would stand, so that it is in the cache when [`Numbering::integer`] comes.
    #[inline]
    pub(crate) fn touch_integer(&self, value: i64) -> u32 {
        let place = self.integers.touch(hash_of_integer(value.cast_unsigned()));
        self.values.get(place as usize).map_or(0, |_| place)
    }

    /// The code here of a label of another numbering.
    pub(crate) fn code_of(&mut self, other: &Self, code: usize) -> Result<u32> {
        match other.kinds[code] {
            Kind::Text(place) => self.text(other.texts.bytes_of(place)),
            Kind::Integer(value) => self.integer(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_integers_share_the_codes() -> Result<()> {
        let mut numbering = Numbering::default();
        assert!(numbering.is_empty());
        let codes = [
            numbering.text(b"7")?,
            numbering.integer(7)?,
            numbering.integer(-1)?,
            numbering.text(b"")?,
            numbering.integer(7)?,
            numbering.text(b"7")?,
        ];
        assert_eq!(codes, [0, 1, 2, 3, 1, 0]);
        assert_eq!(numbering.len(), 4);
        Ok(())
    }

    #[test]
    fn labels_of_another_numbering_keep_their_meaning() -> Result<()> {
        let (mut one, mut other) = (Numbering::default(), Numbering::default());
        one.text(b"a")?;
        other.integer(5)?;
        other.text(b"a")?;
        assert_eq!((one.code_of(&other, 0)?, one.code_of(&other, 1)?), (1, 0));
        Ok(())
    }
}
