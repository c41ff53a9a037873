//! The Python binding of `levcore`: borrow columns, release the interpreter, map errors; nothing else.

use pyo3::prelude::*;

/// Compiled half of the Python package `levcore`; private, its door is `levcore.engine`.
#[pymodule]
mod _levcore {}
