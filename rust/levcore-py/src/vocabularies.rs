//! The core's closed vocabularies and what this machine offers.

use levcore::codes::{ChangeKind, ChangeStatus, ScenarioMeasure, Word};
use levcore::{
    AccountMeasure, AccountStatus, BalanceMeasure, FillStatus, InstructionSet, Measure, State, Status, machine,
    scenarios,
};
use pyo3::prelude::*;

use crate::errors::to_python;

/// Name, unit and meaning.
type Measured = (&'static str, &'static str, &'static str);
/// Code, name and meaning.
type Coded = (u8, &'static str, &'static str);

fn measured<T: Copy>(table: &[Word<T>]) -> Vec<Measured> {
    table.iter().map(|word| (word.name, word.unit, word.meaning)).collect()
}

fn coded<T: Copy>(table: &[Word<T>], code: impl Fn(T) -> u8) -> Vec<Coded> {
    table.iter().map(|word| (code(word.value), word.name, word.meaning)).collect()
}

/// Measures of a position as (name, unit, meaning), in the order of the outputs.
#[pyfunction]
pub(crate) fn measures() -> Vec<Measured> {
    measured(&Measure::TABLE)
}

/// Measures of an account as (name, unit, meaning), in the order of the outputs.
#[pyfunction]
pub(crate) fn account_measures() -> Vec<Measured> {
    measured(&AccountMeasure::TABLE)
}

/// Measures of a balance as (name, unit, meaning), in the order of the outputs.
#[pyfunction]
pub(crate) fn balance_measures() -> Vec<Measured> {
    measured(&BalanceMeasure::TABLE)
}

/// Measures of an account over scenarios as (name, unit, meaning), in the order of the results.
#[pyfunction]
pub(crate) fn scenario_measures() -> Vec<Measured> {
    measured(&ScenarioMeasure::TABLE)
}

/// Codes of the `status` column as (code, name, meaning).
#[pyfunction]
pub(crate) fn statuses() -> Vec<Coded> {
    coded(&Status::TABLE, |status| status as u8)
}

/// Codes of the positions that fills make as (code, name, meaning).
#[pyfunction]
pub(crate) fn fill_statuses() -> Vec<Coded> {
    coded(&FillStatus::TABLE, |status| status as u8)
}

/// Codes of the accounts' `status` column as (code, name, meaning).
#[pyfunction]
pub(crate) fn account_statuses() -> Vec<Coded> {
    coded(&AccountStatus::TABLE, |status| status as u8)
}

/// Kinds of changes as (code, name, meaning).
#[pyfunction]
pub(crate) fn change_kinds() -> Vec<Coded> {
    coded(&ChangeKind::TABLE, |kind| kind as u8)
}

/// Codes of what became of changes as (code, name, meaning).
#[pyfunction]
pub(crate) fn change_statuses() -> Vec<Coded> {
    coded(&ChangeStatus::TABLE, |status| status as u8)
}

/// Codes of rows that failed over scenarios as (code, name, meaning).
#[pyfunction]
pub(crate) fn scenario_row_statuses() -> Vec<Coded> {
    coded(&scenarios::RowStatus::TABLE, |status| status as u8)
}

/// Codes of accounts over scenarios as (code, name, meaning).
#[pyfunction]
pub(crate) fn scenario_account_statuses() -> Vec<Coded> {
    coded(&scenarios::AccountStatus::TABLE, |status| status as u8)
}

/// Codes of the `state` columns as (code, name, meaning).
#[pyfunction]
pub(crate) fn states() -> Vec<Coded> {
    coded(&State::TABLE, |state| state as u8)
}

/// Instruction sets that this processor can run, best last.
#[pyfunction]
pub(crate) fn instruction_sets() -> Vec<&'static str> {
    InstructionSet::available()
}

/// The instruction set that a call uses when it does not say.
#[pyfunction]
pub(crate) fn used_instruction_set() -> PyResult<&'static str> {
    InstructionSet::from_environment().map(InstructionSet::name).map_err(to_python)
}

/// Threads that a call may use when it does not say.
#[pyfunction]
pub(crate) fn default_threads() -> PyResult<usize> {
    machine::default_threads().map_err(to_python)
}
