//! Cells of Arrow columns as what a book is made of: float64 with NaN for a null, or codes into distinct labels.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Float16Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

/// Why a column or a cell of it cannot be read.
pub(crate) enum Fault {
    /// The type of the column.
    Type,
    /// A cell: its place in the chunk, what it must be, what it is.
    Cell(usize, &'static str, String),
}

/// Distinct labels in the order of their first row.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Label {
    Text(String),
    Integer(i64),
}

/// The one rule by which text is a number: a decimal, with an exponent perhaps, or `nan` or `inf`; nothing is missing.
///
/// # Errors
///
/// What a text must be that is no number, or one that float64 holds as infinity or, silently, as 0.
pub(crate) fn number_of_text(text: &str) -> Result<f64, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(f64::NAN);
    }
    let number: f64 = text.parse().map_err(|_| "must be a number")?;
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    let has_digits = text.bytes().any(|byte| byte.is_ascii_digit());
    if number.is_infinite() && has_digits {
        return Err("must be a number that float64 can hold");
    }
    if number == 0.0 && mantissa.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        return Err("must be 0 or a number that float64 can tell from 0");
    }
    Ok(number)
}

macro_rules! primitives {
    ($array:expr, $each:expr; $($kind:ty),+ ; $data_type:expr, $($variant:pat),+) => {
        match $data_type {
            $($variant => Some($array.as_primitive::<$kind>().iter().map($each).collect()),)+
            _ => None,
        }
    };
}

#[allow(clippy::cast_precision_loss, reason = "an integer beyond 2**53 becomes the nearest float64, as its digits do")]
fn of_integers(array: &dyn Array) -> Option<Vec<f64>> {
    primitives!(array, |value| value.map_or(f64::NAN, |value| value as f64);
        Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type;
        array.data_type(), DataType::Int8, DataType::Int16, DataType::Int32, DataType::Int64, DataType::UInt8,
        DataType::UInt16, DataType::UInt32, DataType::UInt64)
}

/// Decimals by way of their digits, which rounds once and rightly.
fn of_decimals(array: &dyn Array) -> Option<Vec<f64>> {
    macro_rules! digits {
        ($kind:ty, $scale:expr) => {
            array
                .as_primitive::<$kind>()
                .iter()
                .map(|value| {
                    value.map_or(f64::NAN, |value| {
                        format!("{value}e{}", -i32::from(*$scale)).parse().unwrap_or(f64::NAN)
                    })
                })
                .collect()
        };
    }
    match array.data_type() {
        DataType::Decimal32(_, scale) => Some(digits!(Decimal32Type, scale)),
        DataType::Decimal64(_, scale) => Some(digits!(Decimal64Type, scale)),
        DataType::Decimal128(_, scale) => Some(digits!(Decimal128Type, scale)),
        DataType::Decimal256(_, scale) => Some(digits!(Decimal256Type, scale)),
        _ => None,
    }
}

fn of_floats(array: &dyn Array) -> Option<Vec<f64>> {
    match array.data_type() {
        DataType::Float64 if array.null_count() == 0 => Some(array.as_primitive::<Float64Type>().values().to_vec()),
        DataType::Float64 => {
            Some(array.as_primitive::<Float64Type>().iter().map(|value| value.unwrap_or(f64::NAN)).collect())
        }
        DataType::Float32 => {
            let wide = |value: Option<f32>| value.map_or(f64::NAN, f64::from);
            Some(array.as_primitive::<Float32Type>().iter().map(wide).collect())
        }
        DataType::Float16 => {
            Some(array.as_primitive::<Float16Type>().iter().map(|value| value.map_or(f64::NAN, f64::from)).collect())
        }
        _ => None,
    }
}

/// Numbers of a chunk, NaN for a null; of text only where it may be one, as in a CSV file.
pub(crate) fn numbers(array: &ArrayRef, text_may_be_number: bool) -> Result<Vec<f64>, Fault> {
    if is_empty(array) {
        return Ok(vec![f64::NAN; array.len()]);
    }
    if let Some(dictionary) = array.as_any_dictionary_opt() {
        let values = numbers(dictionary.values(), text_may_be_number)?;
        return Ok(keys(dictionary.keys())
            .into_iter()
            .map(|key| key.and_then(|key| values.get(key)).map_or(f64::NAN, |&value| value))
            .collect());
    }
    let plain = of_floats(array).or_else(|| of_integers(array)).or_else(|| of_decimals(array));
    match plain {
        Some(values) => Ok(values),
        None if text_may_be_number => {
            let texts = strings(array).ok_or(Fault::Type)?;
            let number = |(row, text): (usize, Option<&str>)| {
                let text = text.unwrap_or_default();
                number_of_text(text).map_err(|rule| Fault::Cell(row, rule, text.to_owned()))
            };
            texts.enumerate().map(number).collect()
        }
        None => Err(Fault::Type),
    }
}

/// Whether a column holds nothing but nulls, of whatever type: then all of it is missing.
fn is_empty(array: &dyn Array) -> bool {
    !array.is_empty() && array.logical_null_count() == array.len()
}

/// Keys of a dictionary as places in its values.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in values that are in memory")]
fn keys(array: &dyn Array) -> Vec<Option<usize>> {
    primitives!(array, |key| key.map(|key| key as usize);
        Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type;
        array.data_type(), DataType::Int8, DataType::Int16, DataType::Int32, DataType::Int64, DataType::UInt8,
        DataType::UInt16, DataType::UInt32, DataType::UInt64)
    .unwrap_or_default()
}

type Strings<'a> = Box<dyn Iterator<Item = Option<&'a str>> + 'a>;

fn strings(array: &dyn Array) -> Option<Strings<'_>> {
    match array.data_type() {
        DataType::Utf8 => Some(Box::new(array.as_string::<i32>().iter())),
        DataType::LargeUtf8 => Some(Box::new(array.as_string::<i64>().iter())),
        DataType::Utf8View => Some(Box::new(array.as_string_view().iter())),
        _ => None,
    }
}

/// Grows a column of labels by chunks.
pub(crate) struct Labels {
    strip: bool,
    places: HashMap<Label, u32>,
    texts: HashMap<String, u32>,
    /// Distinct labels in the order of their first row.
    pub(crate) labels: Vec<Label>,
    /// Place of each row's label.
    pub(crate) codes: Vec<u32>,
}

impl Labels {
    /// Nothing yet; with `strip`, blanks around a text make no other text.
    pub(crate) fn new(strip: bool) -> Self {
        Self { strip, places: HashMap::new(), texts: HashMap::new(), labels: Vec::new(), codes: Vec::new() }
    }

    #[allow(clippy::cast_possible_truncation, reason = "a book holds fewer than 2**32 rows, and so fewer labels")]
    fn text(&mut self, text: &str) -> u32 {
        let text = if self.strip { text.trim() } else { text };
        // Rows of one account mostly stand together.
        if let Some(&last) = self.codes.last()
            && matches!(&self.labels[last as usize], Label::Text(label) if label == text)
        {
            return last;
        }
        if let Some(&code) = self.texts.get(text) {
            return code;
        }
        let code = self.labels.len() as u32;
        self.labels.push(Label::Text(text.to_owned()));
        self.texts.insert(text.to_owned(), code);
        code
    }

    #[allow(clippy::cast_possible_truncation, reason = "a book holds fewer than 2**32 rows, and so fewer labels")]
    fn integer(&mut self, value: i64) -> u32 {
        let code = self.labels.len() as u32;
        match self.places.entry(Label::Integer(value)) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                self.labels.push(entry.key().clone());
                *entry.insert(code)
            }
        }
    }

    /// Appends a chunk; a null is the empty text.
    pub(crate) fn add(&mut self, array: &ArrayRef) -> Result<(), Fault> {
        if is_empty(array) {
            for _ in 0..array.len() {
                let code = self.text("");
                self.codes.push(code);
            }
            return Ok(());
        }
        if let Some(dictionary) = array.as_any_dictionary_opt() {
            return self.add_dictionary(&keys(dictionary.keys()), dictionary.values());
        }
        if let Some(texts) = strings(array) {
            self.codes.reserve(array.len());
            for text in texts {
                let code = self.text(text.unwrap_or_default());
                self.codes.push(code);
            }
            return Ok(());
        }
        if let Some(values) = integers(array)? {
            for value in values {
                let code = match value {
                    Some(value) => self.integer(value),
                    None => self.text(""),
                };
                self.codes.push(code);
            }
            return Ok(());
        }
        match array.data_type() {
            DataType::Boolean => {
                for value in array.as_boolean() {
                    let code = self.text(value.map_or("", |value| if value { "true" } else { "false" }));
                    self.codes.push(code);
                }
                Ok(())
            }
            _ => Err(Fault::Type),
        }
    }

    /// Labels of a dictionary in the order of the rows, not of the dictionary, and none that no row has.
    fn add_dictionary(&mut self, keys: &[Option<usize>], values: &ArrayRef) -> Result<(), Fault> {
        let mut own = Self::new(self.strip);
        own.add(values)?;
        let mut known: Vec<Option<u32>> = vec![None; own.labels.len()];
        for key in keys {
            let Some(code) = key.and_then(|key| own.codes.get(key)).map(|&code| code as usize) else {
                let code = self.text("");
                self.codes.push(code);
                continue;
            };
            let found = match known[code] {
                Some(found) => found,
                None => match &own.labels[code] {
                    Label::Text(text) => self.text(text),
                    Label::Integer(value) => self.integer(*value),
                },
            };
            known[code] = Some(found);
            self.codes.push(found);
        }
        Ok(())
    }
}

#[allow(clippy::useless_conversion, reason = "of the widest of the types alone")]
/// Whole numbers of a chunk, where it holds them; None for another type.
pub(crate) fn integers(array: &dyn Array) -> Result<Option<Vec<Option<i64>>>, Fault> {
    if *array.data_type() == DataType::UInt64 {
        let values = array.as_primitive::<UInt64Type>().iter().enumerate();
        let narrow = values.map(|(row, value)| {
            let rule = "must be a whole number of 64 bits with a sign";
            value
                .map(i64::try_from)
                .transpose()
                .map_err(|_| Fault::Cell(row, rule, value.map_or_else(String::new, |value| value.to_string())))
        });
        return narrow.collect::<Result<_, _>>().map(Some);
    }
    Ok(primitives!(array, |value| value.map(Into::into);
        Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type;
        array.data_type(), DataType::Int8, DataType::Int16, DataType::Int32, DataType::Int64, DataType::UInt8,
        DataType::UInt16, DataType::UInt32))
}
