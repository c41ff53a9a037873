//! Cells of Arrow columns as what a book is made of: float64 with NaN for a null.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Float16Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use levcore::machine::{default_threads, fill_in_parts};

use crate::arrow_labels::Strings;

/// Why a column or a cell of it cannot be read.
pub(crate) enum Fault {
    /// The type of the column.
    Type,
    /// A cell: its place in the chunk, what it must be, what it is.
    Cell(usize, &'static str, String),
    /// What the core says, of memory or threads.
    Core(levcore::Error),
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
    if number.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err("must be a number that float64 can hold");
    }
    let mantissa = || text.split(['e', 'E']).next().unwrap_or(text);
    if number == 0.0 && mantissa().bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
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
            let texts = Strings::of(array).ok_or(Fault::Type)?;
            let mut values = vec![f64::NAN; array.len()];
            let threads = default_threads().map_err(Fault::Core)?;
            let filled = fill_in_parts(&mut values, threads, |first, part| {
                for (row, value) in (first..).zip(part) {
                    let text = texts.text(row);
                    *value = number_of_text(text).map_err(|rule| Fault::Cell(row, rule, text.to_owned()))?;
                }
                Ok(())
            });
            filled.map_err(Fault::Core)?.map(|()| values)
        }
        None => Err(Fault::Type),
    }
}

/// Whether a column holds nothing but nulls, of whatever type: then all of it is missing.
pub(crate) fn is_empty(array: &dyn Array) -> bool {
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
