//! Variables of the environment.

use crate::error::{Error, Result};

/// What a variable says, nothing where it is not set.
///
/// # Errors
///
/// [`Error::Environment`] for a text that `read` does not understand, and for one that is no Unicode.
pub(crate) fn setting<T>(
    variable: &'static str,
    expected: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>> {
    let Some(text) = std::env::var_os(variable) else {
        return Ok(None);
    };
    match text.to_str().and_then(|text| read(text.trim())) {
        Some(value) => Ok(Some(value)),
        None => Err(Error::Environment {
            variable,
            expected: expected.to_owned(),
            found: text.to_string_lossy().into_owned(),
        }),
    }
}
