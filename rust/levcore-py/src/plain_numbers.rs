//! Plain Python numbers as columns: floats, whole numbers and None of a list, prices by name of a dictionary.
//!
//! What holds anything else is left to Python, which knows other numbers and says what is none.

use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyInt, PyList, PyTuple};

use crate::errors::to_python;

type Column<'py> = Option<Bound<'py, PyArray1<f64>>>;

/// Numbers of a list or a tuple as a read-only column, NaN for None; None where one is neither a float nor a whole number of 64 bits.
#[pyfunction]
pub(crate) fn column_of_numbers<'py>(py: Python<'py>, values: &Bound<'py, PyAny>) -> PyResult<Column<'py>> {
    if let Ok(list) = values.cast::<PyList>() {
        column(py, list.len(), list.iter().map(|value| number(&value)))
    } else if let Ok(tuple) = values.cast::<PyTuple>() {
        column(py, tuple.len(), tuple.iter_borrowed().map(|value| number(&value)))
    } else {
        Ok(None)
    }
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

fn column<'py>(py: Python<'py>, rows: usize, numbers: impl Iterator<Item = Option<f64>>) -> PyResult<Column<'py>> {
    levcore::memory::room_for(rows * size_of::<f64>()).map_err(to_python)?;
    let column = PyArray1::zeros(py, [rows], false);
    let mut borrowed = column.readwrite();
    for (place, number) in borrowed.as_slice_mut()?.iter_mut().zip(numbers) {
        let Some(number) = number else { return Ok(None) };
        *place = number;
    }
    borrowed.make_nonwriteable();
    Ok(Some(column))
}
