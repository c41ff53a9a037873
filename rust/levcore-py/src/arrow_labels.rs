//! Cells of Arrow columns as codes into distinct labels.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayAccessor, ArrayRef, GenericStringArray, PrimitiveArray, StringViewArray};
use arrow_buffer::ArrowNativeType;
use arrow_schema::DataType;
use levcore::machine::default_threads;
use levcore::{Numbered, Numbering, Text, number_integers, number_known_integers, number_texts};

use crate::arrow_cells::{Fault, integers, is_empty};

/// A label as the column holds it.
#[derive(Clone, Copy)]
pub(crate) enum Label<'a> {
    Text(&'a str),
    Integer(i64),
}

/// A column of texts.
pub(crate) enum Strings<'a> {
    Short(&'a GenericStringArray<i32>),
    Long(&'a GenericStringArray<i64>),
    View(&'a StringViewArray),
}

impl<'a> Strings<'a> {
    pub(crate) fn of(array: &'a dyn Array) -> Option<Self> {
        match array.data_type() {
            DataType::Utf8 => Some(Self::Short(array.as_string())),
            DataType::LargeUtf8 => Some(Self::Long(array.as_string())),
            DataType::Utf8View => Some(Self::View(array.as_string_view())),
            _ => None,
        }
    }

    /// Text of a row, empty for a null.
    #[inline]
    pub(crate) fn text(&self, row: usize) -> &'a str {
        match self {
            Self::Short(array) => text_of(*array, row),
            Self::Long(array) => text_of(*array, row),
            Self::View(array) => text_of(*array, row),
        }
    }
}

/// Text of a row, empty for a null.
#[inline]
fn text_of<'a>(array: impl ArrayAccessor<Item = &'a str>, row: usize) -> &'a str {
    if array.is_valid(row) { array.value(row) } else { "" }
}

/// Bytes of a text that stand in its view.
const IN_VIEW: u32 = 12;

/// Text of a row, taken from its view where that holds it: how long texts are, nobody can foresee.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the length is the lowest part of a view")]
fn viewed(array: &StringViewArray, row: usize) -> Text<'_> {
    let view = array.views()[row];
    let length = view as u32;
    if length > IN_VIEW || array.is_null(row) {
        return Text::of(text_of(array, row).as_bytes());
    }
    Text::of_number(length, view >> u32::BITS)
}

/// Grows a column of labels by chunks.
pub(crate) struct Labels<'a> {
    strip: bool,
    numbering: Numbering,
    /// Distinct labels in the order of their first row, behind those that were known.
    pub(crate) labels: Vec<Label<'a>>,
    /// Place of each row's label.
    pub(crate) codes: Vec<u32>,
}

impl<'a> Labels<'a> {
    /// Nothing yet but labels that are known; with `strip`, blanks around a text make no other text.
    pub(crate) fn new(strip: bool, known: Numbering) -> Self {
        Self { strip, numbering: known, labels: Vec::new(), codes: Vec::new() }
    }

    /// Appends a chunk; a null is the empty text.
    pub(crate) fn add(&mut self, array: &'a ArrayRef) -> Result<(), Fault> {
        if is_empty(array) {
            let numbered = number_texts(array.len(), 1, &mut self.numbering, |_| Text::default());
            return self.append(numbered, |_| Label::Text(""));
        }
        if let Some(dictionary) = array.as_any_dictionary_opt() {
            return self.add_dictionary(dictionary.keys(), dictionary.values());
        }
        // The type is asked for once, and not at every row.
        match Strings::of(array) {
            Some(Strings::Short(texts)) => return self.add_texts(array.len(), |row| text_of(texts, row)),
            Some(Strings::Long(texts)) => return self.add_texts(array.len(), |row| text_of(texts, row)),
            Some(Strings::View(texts)) if !self.strip => {
                let numbered = number_texts(array.len(), threads()?, &mut self.numbering, |row| viewed(texts, row));
                return self.append(numbered, |row| Label::Text(text_of(texts, row)));
            }
            Some(Strings::View(texts)) => return self.add_texts(array.len(), |row| text_of(texts, row)),
            None => {}
        }
        if array.null_count() == 0
            && let Some(values) = array.as_primitive_opt::<Int64Type>()
        {
            return self.add_integers(values.values());
        }
        if let Some(values) = integers(array)? {
            if let Some(values) = values.iter().copied().collect::<Option<Vec<i64>>>() {
                return self.add_integers(&values);
            }
            let numbered = number_known_integers(&values, &mut self.numbering);
            return self.append(numbered, |row| values[row].map_or(Label::Text(""), Label::Integer));
        }
        let Some(truths) = array.as_boolean_opt() else { return Err(Fault::Type) };
        self.add_texts(array.len(), |row| match truths.is_valid(row) {
            false => "",
            true if truths.value(row) => "true",
            true => "false",
        })
    }

    fn add_texts(&mut self, rows: usize, text: impl Fn(usize) -> &'a str + Sync) -> Result<(), Fault> {
        let strip = self.strip;
        let text = |row| if strip { text(row).trim() } else { text(row) };
        let numbered = number_texts(rows, threads()?, &mut self.numbering, |row| Text::of(text(row).as_bytes()));
        self.append(numbered, |row| Label::Text(text(row)))
    }

    fn add_integers(&mut self, values: &[i64]) -> Result<(), Fault> {
        let numbered = number_integers(values, threads()?, &mut self.numbering);
        self.append(numbered, |row| Label::Integer(values[row]))
    }

    /// Labels of a dictionary in the order of the rows, not of the dictionary, and none that no row has.
    fn add_dictionary(&mut self, keys: &dyn Array, values: &'a ArrayRef) -> Result<(), Fault> {
        let mut own = Self::new(self.strip, Numbering::default());
        own.add(values)?;
        let labels: Vec<Label<'a>> = own.codes.iter().map(|&code| own.labels[code as usize]).collect();
        match keys.data_type() {
            DataType::Int8 => self.add_keys(keys.as_primitive::<Int8Type>(), &labels),
            DataType::Int16 => self.add_keys(keys.as_primitive::<Int16Type>(), &labels),
            DataType::Int32 => self.add_keys(keys.as_primitive::<Int32Type>(), &labels),
            DataType::Int64 => self.add_keys(keys.as_primitive::<Int64Type>(), &labels),
            DataType::UInt8 => self.add_keys(keys.as_primitive::<UInt8Type>(), &labels),
            DataType::UInt16 => self.add_keys(keys.as_primitive::<UInt16Type>(), &labels),
            DataType::UInt32 => self.add_keys(keys.as_primitive::<UInt32Type>(), &labels),
            DataType::UInt64 => self.add_keys(keys.as_primitive::<UInt64Type>(), &labels),
            _ => Err(Fault::Type),
        }
    }

    /// Rows whose keys are places among labels; the others are missing.
    fn add_keys<K: ArrowDictionaryKeyType>(
        &mut self,
        keys: &PrimitiveArray<K>,
        labels: &[Label<'a>],
    ) -> Result<(), Fault> {
        levcore::labels::check_rows(keys.len(), &self.numbering).map_err(Fault::Core)?;
        // The last one is that of what is missing.
        let mut codes: Vec<Option<u32>> = vec![None; labels.len() + 1];
        self.codes.reserve(keys.len());
        for (row, key) in keys.values().iter().enumerate() {
            let place = if keys.is_valid(row) { key.as_usize().min(labels.len()) } else { labels.len() };
            let code = match codes[place] {
                Some(code) => code,
                None => *codes[place].insert(self.place(labels.get(place).copied().unwrap_or(Label::Text("")))?),
            };
            self.codes.push(code);
        }
        Ok(())
    }

    /// Code of one label.
    fn place(&mut self, label: Label<'a>) -> Result<u32, Fault> {
        let known = self.numbering.len();
        let code = match label {
            Label::Text(text) => self.numbering.text(text.as_bytes()),
            Label::Integer(value) => self.numbering.integer(value),
        }
        .map_err(Fault::Core)?;
        if self.numbering.len() > known {
            self.labels.push(label);
        }
        Ok(code)
    }

    /// Appends rows, whose labels `label` gives by their first rows.
    fn append(&mut self, chunk: levcore::Result<Numbered>, label: impl Fn(usize) -> Label<'a>) -> Result<(), Fault> {
        let chunk = chunk.map_err(Fault::Core)?;
        self.labels.extend(chunk.first_rows.into_iter().map(label));
        if self.codes.is_empty() {
            self.codes = chunk.codes;
        } else {
            self.codes.extend_from_slice(&chunk.codes);
        }
        Ok(())
    }
}

fn threads() -> Result<usize, Fault> {
    default_threads().map_err(Fault::Core)
}
