//! The core's errors as the exceptions of `levcore.errors`.

use std::any::Any;
use std::str::FromStr;

use levcore::Error;
use pyo3::exceptions::{PyKeyboardInterrupt, PyMemoryError};
use pyo3::import_exception;
use pyo3::prelude::*;

import_exception!(levcore.errors, AliasError);
import_exception!(levcore.errors, DTypeError);
import_exception!(levcore.errors, InputError);
import_exception!(levcore.errors, InternalError);
import_exception!(levcore.errors, PolicyError);
import_exception!(levcore.errors, ShapeError);
import_exception!(levcore.errors, TierError);

/// Argument, rule, expected, found: the fields of every exception of ours.
pub(crate) fn to_python(error: Error) -> PyErr {
    match error {
        Error::Length { argument, expected, found } => {
            ShapeError::new_err((argument, "must have one value a row", expected.to_string(), found.to_string()))
        }
        Error::Code { argument, row, found, limit } => InputError::new_err((
            argument,
            "must hold codes of its table",
            format!("a code below {limit}"),
            found.to_string(),
            row,
        )),
        Error::Policies { account, row } => InputError::new_err((
            "policy",
            "must be the same for every leg of a cross account",
            "one policy an account",
            format!("another one for account code {account}"),
            row,
        )),
        Error::Tier { tier, rule, expected, found } => {
            TierError::new_err(("", tier + 1, rule, expected.to_string(), found.to_string()))
        }
        Error::Domain { argument, expected, found } => {
            PolicyError::new_err((argument, "is outside of its domain", expected, found.to_string()))
        }
        Error::Quanta { unit, found } => too_many(unit, unit, found, None),
        Error::Word { expected, found } => unknown_word("word", &expected, &found),
        Error::Environment { variable, expected, found } => {
            InputError::new_err((variable, "is a variable of the environment", expected, format!("{found:?}")))
        }
        Error::InstructionSet { available, found } => InputError::new_err((
            "instruction_set",
            "must be one that this processor has",
            format!("one of {available}"),
            found,
        )),
        Error::FallingRate { row } => InputError::new_err((
            "tiers",
            "a margin a unit whose rate falls is not computed where parts of an account move together",
            "isolated positions, or cross accounts of one wallet in one-way mode",
            "a table a unit with a rate below that of the line before it",
            row,
        )),
        Error::NotJudged { step, row, mark } => InputError::new_err((
            "prices",
            "must let every open position be judged",
            "tiers that reach there, rows that can be judged left alone, or stop_after=",
            format!("{mark:?} at step {step}"),
            row,
        )),
        Error::TooManyRows { found } => {
            InputError::new_err(("rows", "must fit a 32-bit index", "at most 4294967294", found.to_string()))
        }
        Error::Threads { .. } => InputError::new_err(("threads", error.to_string())),
        Error::Memory { .. } => PyMemoryError::new_err(error.to_string()),
        Error::Interrupted => PyKeyboardInterrupt::new_err(()),
    }
}

/// An amount that cannot be counted in whole quanta or lots.
pub(crate) fn too_many(argument: &'static str, unit: &str, found: f64, row: Option<usize>) -> PyErr {
    let expected = format!("a smaller amount, or a larger {unit}");
    InputError::new_err((argument, "must be below 2^62 of what it is counted in", expected, format!("{found:?}"), row))
}

/// The value of a rule by its word.
pub(crate) fn word<Rule: FromStr<Err = Error>>(argument: &'static str, given: &str) -> PyResult<Rule> {
    given.parse().map_err(|error| match error {
        Error::Quanta { unit, found } => too_many(unit, unit, found, None),
        Error::Word { expected, found } => unknown_word(argument, &expected, &found),
        other => to_python(other),
    })
}

fn unknown_word(argument: &'static str, expected: &str, found: &str) -> PyErr {
    PolicyError::new_err((argument, "must be a known word", format!("one of {expected}"), format!("{found:?}")))
}

/// An output that cannot be written while its inputs are read.
pub(crate) fn alias(argument: &'static str, reason: &str) -> PyErr {
    AliasError::new_err((
        argument,
        "must be writable and share no memory with an input or another output",
        "",
        reason.to_owned(),
    ))
}

/// A column that is not what the package promised to pass.
pub(crate) fn not_contiguous(argument: &'static str) -> PyErr {
    InputError::new_err((argument, "must be contiguous"))
}

/// A panic of the core, as an exception.
pub(crate) fn internal(panic: &(dyn Any + Send)) -> PyErr {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic without a message".to_owned());
    InternalError::new_err(("levcore", "has a bug here; the outputs of this call are undefined", "", text))
}
