//! The core's closed vocabularies and what this machine offers.

use levcore::instruction_set::InstructionSet;
use levcore::state::State;
use levcore::status::{AccountStatus, Status};
use pyo3::prelude::*;

use crate::errors::to_python;

/// Measures of a position as (name, unit, meaning), in the order of the outputs.
#[pyfunction]
pub(crate) fn measures() -> Vec<(&'static str, &'static str, &'static str)> {
    levcore::measures::TABLE.iter().map(|measure| (measure.name, measure.unit, measure.doc)).collect()
}

/// Names of the measures of an account, in the order of the outputs.
#[pyfunction]
pub(crate) fn account_measures() -> [&'static str; levcore::evaluate::ACCOUNT_MEASURES.len()] {
    levcore::evaluate::ACCOUNT_MEASURES
}

/// Names of the measures of a balance, in the order of the outputs.
#[pyfunction]
pub(crate) fn balance_measures() -> [&'static str; levcore::settle::BALANCE_MEASURES.len()] {
    levcore::settle::BALANCE_MEASURES
}

/// Codes of the `status` column as (code, name, meaning).
#[pyfunction]
pub(crate) fn statuses() -> Vec<(u8, &'static str, &'static str)> {
    Status::TABLE.iter().map(|&(status, name, meaning)| (status as u8, name, meaning)).collect()
}

/// Codes of the accounts' `status` column as (code, name, meaning).
#[pyfunction]
pub(crate) fn account_statuses() -> Vec<(u8, &'static str, &'static str)> {
    AccountStatus::TABLE.iter().map(|&(status, name, meaning)| (status as u8, name, meaning)).collect()
}

/// Codes of the `state` columns as (code, name).
#[pyfunction]
pub(crate) fn states() -> Vec<(u8, &'static str)> {
    State::TABLE.iter().map(|&(state, name)| (state as u8, name)).collect()
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
    levcore::threads::default_threads().map_err(to_python)
}
