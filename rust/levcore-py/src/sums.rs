//! Totals over columns borrowed from NumPy.

use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::door;
use crate::errors::{not_contiguous, to_python};

/// Correctly rounded sums of `values` by group: the same bits in any order, those of `math.fsum`.
///
/// `groups` holds codes from 0 up to `count`, and what has a negative one is left out; without it all values are of group 0. A group
/// without values has the sum 0. NaN, or infinities of both signs, give NaN; a sum beyond the range of float64 is infinite.
#[pyfunction]
pub(crate) fn exact_sums<'py>(
    py: Python<'py>,
    values: PyReadonlyArray1<'py, f64>,
    groups: Option<PyReadonlyArray1<'py, i64>>,
    count: usize,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let (values, groups) = (&values, groups.as_ref());
    let sums = through(py, values, groups, count, size_of::<f64>(), levcore::exact_sums)?;
    Ok(PyArray1::from_vec(py, sums))
}

/// The sums of `exact_sums` before they are rounded: a pair a group.
///
/// The whole number of `2**-1074` as bytes, little-endian and in two's complement, and the plain sum of what was not finite. Sums of
/// other batches are added to both before they are rounded.
#[pyfunction]
pub(crate) fn exact_wholes<'py>(
    py: Python<'py>,
    values: PyReadonlyArray1<'py, f64>,
    groups: Option<PyReadonlyArray1<'py, i64>>,
    count: usize,
) -> PyResult<Vec<(Bound<'py, PyBytes>, f64)>> {
    // Each is kept twice, here and as an object of Python.
    let wholes = through(py, &values, groups.as_ref(), count, 1024, levcore::exact_wholes)?;
    Ok(wholes.iter().map(|(bytes, not_finite)| (PyBytes::new(py, bytes), *not_finite)).collect())
}

/// Sums of columns borrowed from NumPy, of `size` bytes a group, with the interpreter released.
fn through<T: Send>(
    py: Python<'_>,
    values: &PyReadonlyArray1<'_, f64>,
    groups: Option<&PyReadonlyArray1<'_, i64>>,
    count: usize,
    size: usize,
    sums: impl Fn(&[f64], Option<&[i64]>, usize) -> levcore::Result<Vec<T>> + Sync,
) -> PyResult<Vec<T>> {
    let values = values.as_slice().map_err(|_| not_contiguous("values"))?;
    let groups = groups.map(|groups| groups.as_slice().map_err(|_| not_contiguous("groups"))).transpose()?;
    let sorted = if groups.is_some() { count.saturating_mul(2).saturating_add(values.len()) } else { 0 };
    let bytes = sorted.saturating_mul(size_of::<f64>()).saturating_add(count.saturating_mul(size));
    levcore::memory::room_for(bytes).map_err(to_python)?;
    door::through(py, || sums(values, groups, count))
}
