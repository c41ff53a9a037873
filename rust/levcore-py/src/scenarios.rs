//! Portfolio margin by scenarios: columns and tables borrowed from NumPy for one call.

use levcore::codes::ScenarioMeasure;
use levcore::memory::with_room;
use levcore::scenarios::{
    AddOns, Legs, NetAmounts, SPAN_SCENARIOS, ScenarioArrays, ScenarioOutputs, price_profit, scenario_margin,
    span_profits,
};
use levcore::{Contract, InstructionSet};
use numpy::{
    PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray1, PyReadwriteArray2,
    PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::book::Book;
use crate::door;
use crate::errors::{to_python, word};

type Floats<'py> = PyReadonlyArray1<'py, f64>;
type Codes<'py> = PyReadonlyArray1<'py, u32>;

/// Net positions by set, as `levcore.scenario_inputs.CompiledNetAmounts` holds them.
#[derive(FromPyObject)]
pub(crate) struct CompiledNetAmounts<'py> {
    set: Codes<'py>,
    size: Floats<'py>,
    group: Codes<'py>,
    long: Floats<'py>,
    short: Floats<'py>,
}

impl CompiledNetAmounts<'_> {
    fn borrow(&self) -> PyResult<NetAmounts<'_>> {
        Ok(NetAmounts {
            set: self.set.as_slice()?,
            size: self.size.as_slice()?,
            group: self.group.as_slice()?,
            long: self.long.as_slice()?,
            short: self.short.as_slice()?,
        })
    }
}

fn borrow<'a>(amounts: &'a Option<CompiledNetAmounts<'_>>) -> PyResult<Option<NetAmounts<'a>>> {
    amounts.as_ref().map(CompiledNetAmounts::borrow).transpose()
}

fn slice<'a>(column: &'a Option<Floats<'_>>) -> PyResult<Option<&'a [f64]>> {
    Ok(column.as_ref().map(|column| column.as_slice()).transpose()?)
}

/// Inputs as `levcore.scenario_inputs.CompiledScenarios` holds them.
#[derive(FromPyObject)]
pub(crate) struct CompiledScenarios<'py> {
    places: PyReadonlyArray1<'py, i64>,
    profits: PyReadonlyArray2<'py, f64>,
    group: Codes<'py>,
    pool: Codes<'py>,
    offset: Floats<'py>,
    minimum: Option<CompiledNetAmounts<'py>>,
    contingency: Option<CompiledNetAmounts<'py>>,
    spread: Option<CompiledNetAmounts<'py>>,
    spread_charge: Option<Floats<'py>>,
    adjustments: Option<PyReadonlyArray2<'py, f64>>,
    option_value: Option<Floats<'py>>,
    initial_ratio: Option<f64>,
    equity: Option<Floats<'py>>,
}

/// Columns that an evaluation writes: the measures asked for by name, their values by account, status, profits by account and scenario;
/// and whether groups are wanted.
type Columns<'py> =
    (Vec<String>, PyReadwriteArray2<'py, f64>, PyReadwriteArray1<'py, u8>, Option<PyReadwriteArray2<'py, f64>>, bool);

/// Account, group, worst scenarios and scan risks of groups; rows that failed and why.
type Findings<'py> = (
    [Bound<'py, PyArray1<u32>>; 4],
    [Bound<'py, PyArray1<f64>>; 2],
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<u8>>,
);

/// Evaluates the accounts of a book over scenarios.
#[pyfunction(name = "scenario_margin")]
pub(crate) fn evaluate_scenarios<'py>(
    py: Python<'py>,
    book: &Book,
    inputs: CompiledScenarios<'py>,
    out: Columns<'py>,
    threads: usize,
) -> PyResult<Findings<'py>> {
    let instruction_set = InstructionSet::from_environment().map_err(to_python)?;
    let places = inputs.places.as_slice()?.len() * size_of::<Option<usize>>();
    levcore::memory::room_for(places).map_err(to_python)?;
    let places: Vec<Option<usize>> =
        inputs.places.as_slice()?.iter().map(|&place| usize::try_from(place).ok()).collect();
    let (instrument, quantity) = (book.instrument.bind(py).readonly(), book.quantity.bind(py).readonly());
    let legs = Legs {
        instrument: instrument.as_slice()?,
        quantity: quantity.as_slice()?,
        rows: book.rows_by_account(py)?,
        places: &places,
    };
    let arrays = ScenarioArrays {
        profits: inputs.profits.as_slice()?,
        scenarios: inputs.profits.shape()[1],
        group: inputs.group.as_slice()?,
        pool: inputs.pool.as_slice()?,
        offset: inputs.offset.as_slice()?,
    };
    let add_ons = AddOns {
        minimum: borrow(&inputs.minimum)?,
        contingency: borrow(&inputs.contingency)?,
        spread: borrow(&inputs.spread)?.zip(slice(&inputs.spread_charge)?),
        adjustments: inputs.adjustments.as_ref().map(|table| table.as_slice()).transpose()?,
        option_value: slice(&inputs.option_value)?,
        initial_ratio: inputs.initial_ratio,
        equity: slice(&inputs.equity)?,
    };
    let (names, mut results, mut status, mut profits, keeps_groups) = out;
    let accounts = results.as_array().ncols();
    let mut columns = [const { None }; ScenarioMeasure::COUNT];
    if accounts > 0 {
        for (name, column) in names.iter().zip(results.as_slice_mut()?.chunks_exact_mut(accounts)) {
            columns[word::<ScenarioMeasure>("measures", name)? as usize] = Some(column);
        }
    }
    let profits = profits.as_mut().map(|profits| profits.as_slice_mut()).transpose()?;
    let outputs = ScenarioOutputs::new(columns, status.as_slice_mut()?, profits);
    let outputs = if keeps_groups { outputs } else { outputs.without_groups() };
    let found = door::through_with_signals(py, instruction_set, threads, |execution| {
        scenario_margin(&legs, &arrays, &add_ons, &outputs, execution)
    })?;
    let (rows, reasons): (Vec<u32>, Vec<u8>) = found.failures.into_iter().unzip();
    let codes = [found.account, found.group, found.worst_scenario, found.pool_worst_scenario];
    Ok((
        codes.map(|column| PyArray1::from_vec(py, column)),
        [found.scan_risk, found.pool_scan_risk].map(|column| PyArray1::from_vec(py, column)),
        PyArray1::from_vec(py, rows),
        PyArray1::from_vec(py, reasons),
    ))
}

/// Room for so many numbers, or a `MemoryError`.
fn room<T>(count: usize) -> PyResult<Vec<T>> {
    with_room(count).map_err(to_python)
}

/// Profit of one long contract as its price moves, by contract and move; NaN where the mark is missing or no price.
#[pyfunction]
pub(crate) fn price_grid_profits<'py>(
    py: Python<'py>,
    contracts: Bound<'py, PyList>,
    marks: Floats<'py>,
    moves: Floats<'py>,
    covers: Floats<'py>,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let (marks, moves, covers) = (marks.as_slice()?, moves.as_slice()?, covers.as_slice()?);
    let mut profits = room(contracts.len().saturating_mul(moves.len()))?;
    for (contract, &mark) in contracts.iter().zip(marks) {
        let (payoff, contract_size, multiplier): (String, f64, f64) = contract.extract()?;
        let contract = Contract::new(word("payoff", &payoff)?, contract_size, multiplier).map_err(to_python)?;
        profits.extend(moves.iter().zip(covers).map(|(&by, &cover)| price_profit(&contract, mark, by, cover)));
    }
    PyArray1::from_vec(py, profits).reshape([contracts.len(), moves.len()])
}

/// Profit of one long future in the sixteen SPAN scenarios.
#[pyfunction]
pub(crate) fn span_future_profits(
    price_scan_range: f64,
    extreme_multiple: f64,
    extreme_cover: f64,
) -> [f64; SPAN_SCENARIOS] {
    span_profits(price_scan_range, extreme_multiple, extreme_cover)
}
