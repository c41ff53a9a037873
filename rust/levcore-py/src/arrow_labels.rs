//! Cells of Arrow columns as codes into distinct labels.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayAccessor, ArrayRef, GenericStringArray, StringViewArray};
use arrow_schema::DataType;
use levcore::machine::default_threads;
use levcore::{Numbered, Numbering, number_integers, number_rows, number_texts};

use crate::arrow_cells::{Fault, integers, is_empty, keys};

/// Distinct labels in the order of their first row.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Label {
    Text(String),
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

/// Grows a column of labels by chunks.
pub(crate) struct Labels {
    strip: bool,
    /// The labels by content, once there is a second chunk.
    numbering: Numbering,
    /// Distinct labels in the order of their first row.
    pub(crate) labels: Vec<Label>,
    /// Place of each row's label.
    pub(crate) codes: Vec<u32>,
}

impl Labels {
    /// Nothing yet; with `strip`, blanks around a text make no other text.
    pub(crate) fn new(strip: bool) -> Self {
        Self { strip, numbering: Numbering::default(), labels: Vec::new(), codes: Vec::new() }
    }

    /// Appends a chunk; a null is the empty text.
    pub(crate) fn add(&mut self, array: &ArrayRef) -> Result<(), Fault> {
        if is_empty(array) {
            return self.append(Numbered { codes: vec![0; array.len()], first_rows: vec![0] }, |_| text_label(""));
        }
        if let Some(dictionary) = array.as_any_dictionary_opt() {
            return self.add_dictionary(&keys(dictionary.keys()), dictionary.values());
        }
        // The type is asked for once, and not at every row.
        match Strings::of(array) {
            Some(Strings::Short(texts)) => return self.add_texts(array.len(), |row| text_of(texts, row)),
            Some(Strings::Long(texts)) => return self.add_texts(array.len(), |row| text_of(texts, row)),
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
            let numbered = number_rows(values.len(), threads()?, |rows, numbering, codes| {
                for (code, value) in codes.iter_mut().zip(&values[rows]) {
                    *code = match value {
                        Some(value) => numbering.integer(*value)?,
                        None => numbering.text(b"")?,
                    };
                }
                Ok(())
            });
            let label = |row: usize| values[row].map_or_else(|| text_label(""), Label::Integer);
            return self.append(numbered.map_err(Fault::Core)?, label);
        }
        let Some(truths) = array.as_boolean_opt() else { return Err(Fault::Type) };
        self.add_texts(array.len(), |row| match truths.is_valid(row) {
            false => "",
            true if truths.value(row) => "true",
            true => "false",
        })
    }

    fn add_texts<'a>(&mut self, rows: usize, text: impl Fn(usize) -> &'a str + Sync) -> Result<(), Fault> {
        let strip = self.strip;
        let text = |row| if strip { text(row).trim() } else { text(row) };
        let numbered = number_texts(rows, threads()?, text);
        self.append(numbered.map_err(Fault::Core)?, |row| text_label(text(row)))
    }

    fn add_integers(&mut self, values: &[i64]) -> Result<(), Fault> {
        let numbered = number_integers(values, threads()?).map_err(Fault::Core)?;
        self.append(numbered, |row| Label::Integer(values[row]))
    }

    #[allow(clippy::cast_possible_wrap, reason = "a place among labels that are in memory")]
    /// Labels of a dictionary in the order of the rows, not of the dictionary, and none that no row has.
    fn add_dictionary(&mut self, keys: &[Option<usize>], values: &ArrayRef) -> Result<(), Fault> {
        let mut own = Self::new(self.strip);
        own.add(values)?;
        let empty = text_label("");
        let missing = own.labels.iter().position(|label| *label == empty).unwrap_or(own.labels.len());
        let place = |key: &Option<usize>| key.and_then(|key| own.codes.get(key)).map_or(missing, |&code| code as usize);
        let places: Vec<i64> = keys.iter().map(|key| place(key) as i64).collect();
        let numbered = number_integers(&places, threads()?).map_err(Fault::Core)?;
        self.append(numbered, |row| own.labels.get(place(&keys[row])).unwrap_or(&empty).clone())
    }

    /// Appends rows, whose labels `label` gives by their first rows.
    fn append(&mut self, chunk: Numbered, label: impl Fn(usize) -> Label) -> Result<(), Fault> {
        if self.codes.is_empty() {
            self.labels = chunk.first_rows.into_iter().map(label).collect();
            self.codes = chunk.codes;
            return Ok(());
        }
        for known in self.numbering.len()..self.labels.len() {
            place(&mut self.numbering, &self.labels[known])?;
        }
        let mut translation = Vec::with_capacity(chunk.first_rows.len());
        for row in chunk.first_rows {
            let label = label(row);
            let code = place(&mut self.numbering, &label)?;
            if code as usize == self.labels.len() {
                self.labels.push(label);
            }
            translation.push(code);
        }
        self.codes.extend(chunk.codes.into_iter().map(|code| translation[code as usize]));
        Ok(())
    }
}

fn place(numbering: &mut Numbering, label: &Label) -> Result<u32, Fault> {
    match label {
        Label::Text(text) => numbering.text(text.as_bytes()),
        Label::Integer(value) => numbering.integer(*value),
    }
    .map_err(Fault::Core)
}

fn text_label(text: &str) -> Label {
    Label::Text(text.to_owned())
}

fn threads() -> Result<usize, Fault> {
    default_threads().map_err(Fault::Core)
}
