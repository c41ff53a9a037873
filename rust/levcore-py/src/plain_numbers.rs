//! Plain Python numbers as columns: floats, whole numbers and None of lists, prices by name of a dictionary.
//!
//! What holds anything else is left to Python, which knows other numbers and says what is none.

use numpy::ndarray::{Dimension, IntoDimension, Ix1};
use numpy::{PyArray, PyArray1, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyInt, PyList, PyTuple};

use crate::errors::to_python;

type Array<'py, Shape> = Option<Bound<'py, PyArray<f64, Shape>>>;
type Column<'py> = Array<'py, Ix1>;
type Columns<'py> = Option<Vec<Option<Bound<'py, PyAny>>>>;

/// Numbers of a list or a tuple as a read-only column, NaN for None; None where one is neither a float nor a whole number of 64 bits.
#[pyfunction]
pub(crate) fn column_of_numbers<'py>(py: Python<'py>, values: &Bound<'py, PyAny>) -> PyResult<Column<'py>> {
    let Some(rows) = length(values) else { return Ok(None) };
    read_only(py, [rows], |column| read(values, column))
}

/// Columns of one length, each as [`column_of_numbers`] reads it. The first is a list or a tuple; of the others a number stands for every row,
/// and None for a column that there is not. They are views of one array: to make one for each takes longer than to read a few rows.
///
/// None where one is anything else, or of another length.
#[pyfunction]
pub(crate) fn columns_of_numbers<'py>(py: Python<'py>, values: &Bound<'py, PyTuple>) -> PyResult<Columns<'py>> {
    let Some(rows) = values.iter_borrowed().next().and_then(|first| length(&first)) else { return Ok(None) };
    // Before anything is read: a million rows are not read for a column that Python has to look at anyway.
    let is_plain = |value: &Bound<'py, PyAny>| {
        value.is_none() || length(value).map_or_else(|| number(value).is_some(), |length| length == rows)
    };
    if !values.iter_borrowed().all(|value| is_plain(&value)) {
        return Ok(None);
    }
    let given = || values.iter_borrowed().filter(|value| !value.is_none());
    let read = read_only(py, [given().count(), rows], |columns| {
        // Without rows there is nothing to cut.
        given().zip(columns.chunks_exact_mut(rows.max(1))).try_for_each(|(value, column)| read(&value, column))
    });
    let Some(read) = read? else { return Ok(None) };
    let mut place = 0..;
    let view = |value: Borrowed<'_, 'py, PyAny>| {
        (!value.is_none()).then(|| place.next()).flatten().map(|place| read.get_item(place)).transpose()
    };
    values.iter_borrowed().map(view).collect::<PyResult<_>>().map(Some)
}

/// Prices by these names, NaN for those that the dictionary lacks; None where one is no float.
#[pyfunction]
pub(crate) fn prices_of_names<'py>(
    py: Python<'py>,
    names: &Bound<'py, PyTuple>,
    prices: &Bound<'py, PyDict>,
) -> PyResult<Column<'py>> {
    let mut column = levcore::memory::with_room(names.len()).map_err(to_python)?;
    for name in names.iter_borrowed() {
        column.push(match prices.get_item(name)? {
            None => f64::NAN,
            Some(price) => match price.cast_exact::<PyFloat>() {
                Ok(price) => price.value(),
                Err(_) => return Ok(None),
            },
        });
    }
    Ok(Some(PyArray1::from_slice(py, &column)))
}

/// Rows of a list or a tuple.
fn length(values: &Bound<'_, PyAny>) -> Option<usize> {
    let list = values.cast::<PyList>().map(PyListMethods::len);
    list.or_else(|_| values.cast::<PyTuple>().map(PyTupleMethods::len)).ok()
}

/// Reads a list, a tuple, or a number for every row; None where Python has to look at it.
fn read(values: &Bound<'_, PyAny>, column: &mut [f64]) -> Option<()> {
    if let Ok(list) = values.cast::<PyList>() {
        column.iter_mut().zip(list.iter()).try_for_each(|(place, value)| number(&value).map(|value| *place = value))
    } else if let Ok(tuple) = values.cast::<PyTuple>() {
        let values = column.iter_mut().zip(tuple.iter_borrowed());
        values.into_iter().try_for_each(|(place, value)| number(&value).map(|value| *place = value))
    } else {
        number(values).map(|value| column.fill(value))
    }
}

/// A plain number; NaN for None, and None for what Python has to look at.
fn number(value: &Bound<'_, PyAny>) -> Option<f64> {
    if let Ok(float) = value.cast_exact::<PyFloat>() {
        Some(float.value())
    } else if value.is_none() {
        Some(f64::NAN)
    } else {
        let whole: i64 = value.cast_exact::<PyInt>().ok()?.extract().ok()?;
        // As NumPy casts it: to the nearest number, halves to the even one.
        Some(whole as f64)
    }
}

/// An array that `fill` fills and nobody writes to afterwards; None where it cannot.
fn read_only<'py, Shape: IntoDimension>(
    py: Python<'py>,
    shape: Shape,
    fill: impl FnOnce(&mut [f64]) -> Option<()>,
) -> PyResult<Array<'py, Shape::Dim>> {
    let shape = shape.into_dimension();
    levcore::memory::room_for(shape.size() * size_of::<f64>()).map_err(to_python)?;
    let array = PyArray::zeros(py, shape, false);
    let mut borrowed = array.readwrite();
    if fill(borrowed.as_slice_mut()?).is_none() {
        return Ok(None);
    }
    borrowed.make_nonwriteable();
    Ok(Some(array))
}
