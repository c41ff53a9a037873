//! Positions from fills: columns borrowed, positions returned.

use levcore::{Contract, FILL_MEASURES, Fills, InstructionSet, Payoff};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::door;
use crate::errors::to_python;

type Floats<'py> = PyReadonlyArray1<'py, f64>;
type Codes<'py> = PyReadonlyArray1<'py, u32>;
type Positions<'py> = (Bound<'py, PyArray2<f64>>, Bound<'py, PyArray1<u8>>, Bound<'py, PyArray1<i64>>);

/// Makes positions of fills: one row a measure, codes of status, and the fill at fault (-1: none).
///
/// `order` lists the fills by position and time, `starts` where each position begins in it, `instrument` its instrument. `contracts` holds
/// payoff, contract size and multiplier of each instrument, or nothing for one that is unknown; `marks` its price or NaN.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "one argument a column")]
pub(crate) fn positions_from_fills<'py>(
    py: Python<'py>,
    quantity: Floats<'py>,
    price: Floats<'py>,
    fee: Floats<'py>,
    order: Codes<'py>,
    starts: Codes<'py>,
    instrument: Codes<'py>,
    contracts: Vec<Option<(String, f64, f64)>>,
    marks: Floats<'py>,
    threads: usize,
) -> PyResult<Positions<'py>> {
    let contracts: Vec<Option<Contract>> = contracts
        .into_iter()
        .map(|given| given.map(|(payoff, size, multiplier)| Contract::new(payoff.parse::<Payoff>()?, size, multiplier)))
        .map(Option::transpose)
        .collect::<levcore::Result<_>>()
        .map_err(to_python)?;
    let fills = Fills {
        quantity: quantity.as_slice()?,
        price: price.as_slice()?,
        fee: fee.as_slice()?,
        order: order.as_slice()?,
        starts: starts.as_slice()?,
        instrument: instrument.as_slice()?,
        contracts: &contracts,
        marks: marks.as_slice()?,
    };
    // Each position three times: as it is made, as rows of measures, as columns.
    let bytes = fills.starts.len().saturating_mul(4 * (FILL_MEASURES + 4) * size_of::<f64>());
    levcore::memory::room_for(bytes).map_err(to_python)?;
    let set = InstructionSet::from_environment().map_err(to_python)?;
    let made =
        door::through_with_signals(py, set, threads, |execution| levcore::positions_from_fills(&fills, execution))?;
    let values = (0..FILL_MEASURES).flat_map(|measure| made.iter().map(move |position| position.measures[measure]));
    let results = PyArray1::from_vec(py, values.collect()).reshape([FILL_MEASURES, made.len()])?;
    let status = PyArray1::from_vec(py, made.iter().map(|position| position.status as u8).collect());
    let fault = PyArray1::from_vec(py, made.iter().map(|position| position.fault.map_or(-1, i64::from)).collect());
    Ok((results, status, fault))
}
