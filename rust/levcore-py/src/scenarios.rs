//! Portfolio margin by scenarios: columns and tables borrowed from NumPy for one call.

use levcore::codes::ScenarioMeasure;
use levcore::memory::with_room;
use levcore::scenarios::{
    AddOns, BlockRisk, GroupRisk, Legs, NetAmounts, SPAN_SCENARIOS, ScenarioArrays, price_profit, scenario_margin,
    span_profits,
};
use levcore::{Contract, InstructionSet};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyList;

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
    instrument: Codes<'py>,
    quantity: Floats<'py>,
    account: Codes<'py>,
    order: Codes<'py>,
    places: PyReadonlyArray1<'py, i64>,
    accounts: usize,
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

/// Measures by account, their status; account, group, worst scenarios and scan risks of groups; rows that failed and why; profits.
type Results<'py> = (
    Bound<'py, PyArray2<f64>>,
    Bound<'py, PyArray1<u8>>,
    Bound<'py, PyArray2<u32>>,
    Bound<'py, PyArray2<f64>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<u8>>,
    Option<Bound<'py, PyArray2<f64>>>,
);

/// Evaluates the accounts of a book over scenarios.
#[pyfunction(name = "scenario_margin")]
pub(crate) fn evaluate_scenarios<'py>(
    py: Python<'py>,
    inputs: CompiledScenarios<'py>,
    keep_profits: bool,
    threads: usize,
) -> PyResult<Results<'py>> {
    let instruction_set = InstructionSet::from_environment().map_err(to_python)?;
    let places = inputs.places.as_slice()?.len() * size_of::<Option<usize>>();
    levcore::memory::room_for(places).map_err(to_python)?;
    let places: Vec<Option<usize>> =
        inputs.places.as_slice()?.iter().map(|&place| usize::try_from(place).ok()).collect();
    let legs = Legs {
        instrument: inputs.instrument.as_slice()?,
        quantity: inputs.quantity.as_slice()?,
        account: inputs.account.as_slice()?,
        order: inputs.order.as_slice()?,
        places: &places,
        accounts: inputs.accounts,
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
    let blocks = door::through_with_signals(py, instruction_set, threads, |execution| {
        scenario_margin(&legs, &arrays, &add_ons, keep_profits, execution)
    })?;
    results(py, &blocks, inputs.accounts, keep_profits.then_some(arrays.scenarios))
}

/// The blocks put together, a column each.
fn results<'py>(
    py: Python<'py>,
    blocks: &[BlockRisk],
    accounts: usize,
    scenarios: Option<usize>,
) -> PyResult<Results<'py>> {
    let mut measures = room(ScenarioMeasure::COUNT * accounts)?;
    for word in ScenarioMeasure::TABLE {
        blocks.iter().for_each(|block| measures.extend_from_slice(block.measure(word.value)));
    }
    let mut status = room(accounts)?;
    blocks.iter().for_each(|block| status.extend_from_slice(&block.status));
    let groups = blocks.iter().map(|block| block.groups.len()).sum();
    let codes: [fn(&GroupRisk) -> u32; 4] =
        [|row| row.account, |row| row.group, |row| row.worst_scenario, |row| row.pool_worst_scenario];
    let risks: [fn(&GroupRisk) -> f64; 2] = [|row| row.scan_risk, |row| row.pool_scan_risk];
    let failures = blocks.iter().flat_map(|block| &block.failures).copied();
    let (rows, reasons): (Vec<u32>, Vec<u8>) = failures.unzip();
    let profits = scenarios.map(|scenarios| {
        let mut profits = room(accounts.saturating_mul(scenarios))?;
        blocks.iter().for_each(|block| profits.extend_from_slice(&block.profits));
        PyArray1::from_vec(py, profits).reshape([accounts, scenarios])
    });
    Ok((
        PyArray1::from_vec(py, measures).reshape([ScenarioMeasure::COUNT, accounts])?,
        PyArray1::from_vec(py, status),
        PyArray1::from_vec(py, group_columns(blocks, groups, &codes)?).reshape([codes.len(), groups])?,
        PyArray1::from_vec(py, group_columns(blocks, groups, &risks)?).reshape([risks.len(), groups])?,
        PyArray1::from_vec(py, rows),
        PyArray1::from_vec(py, reasons),
        profits.transpose()?,
    ))
}

/// Columns of the groups one after the other.
fn group_columns<T>(blocks: &[BlockRisk], groups: usize, columns: &[fn(&GroupRisk) -> T]) -> PyResult<Vec<T>> {
    let mut values = room(groups * columns.len())?;
    for column in columns {
        blocks.iter().for_each(|block| values.extend(block.groups.iter().map(column)));
    }
    Ok(values)
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
