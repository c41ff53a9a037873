//! The one way into the core: the interpreter is released unless the work is brief, and a panic comes back as an exception that
//! `except Exception` catches.

use std::panic::{AssertUnwindSafe, catch_unwind};

use levcore::{Execution, InstructionSet};
use pyo3::prelude::*;

use crate::errors;

/// Runs `work` without the interpreter lock.
pub(crate) fn through<T: Send>(py: Python<'_>, work: impl FnOnce() -> levcore::Result<T> + Send) -> PyResult<T> {
    py.detach(|| briefly(work))
}

/// Runs work that ends before another thread could make use of the interpreter, which is kept.
pub(crate) fn briefly<T>(work: impl FnOnce() -> levcore::Result<T>) -> PyResult<T> {
    // The core works on slices whose content any panic leaves valid; outputs are then undefined, as InternalError says.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(errors::to_python),
        Err(panic) => Err(errors::internal(panic.as_ref())),
    }
}

/// Runs work without the interpreter lock that asks now and then whether to stop: a signal, Ctrl-C above all, then comes back as its exception.
pub(crate) fn through_with_signals<T: Send>(
    py: Python<'_>,
    set: InstructionSet,
    threads: usize,
    work: impl FnOnce(Execution<'_>) -> levcore::Result<T> + Send,
) -> PyResult<T> {
    let mut signal: Option<PyErr> = None;
    let outcome = through(py, || {
        let mut interrupted = || {
            signal = Python::attach(|py| py.check_signals().err());
            signal.is_some()
        };
        work(Execution { set, threads, interrupted: &mut interrupted })
    });
    signal.map_or(outcome, Err)
}

/// Panics inside of the core, so that a test can see what a caller would.
#[pyfunction]
#[allow(clippy::panic, reason = "the panic is the purpose of the function")]
pub(crate) fn panic_inside(py: Python<'_>) -> PyResult<()> {
    through(py, || panic!("asked for by panic_inside"))
}
