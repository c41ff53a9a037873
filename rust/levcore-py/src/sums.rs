//! Totals over columns borrowed from NumPy.

use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

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
    let values = values.as_slice().map_err(|_| not_contiguous("values"))?;
    let groups = groups.as_ref().map(|groups| groups.as_slice().map_err(|_| not_contiguous("groups"))).transpose()?;
    let wholes = if groups.is_some() { count.saturating_mul(3).saturating_add(values.len()) } else { count };
    levcore::memory::room_for(wholes.saturating_mul(size_of::<f64>())).map_err(to_python)?;
    let sums = door::through(py, || levcore::exact_sums(values, groups, count))?;
    Ok(PyArray1::from_vec(py, sums))
}
