//! Arrow C streams in and out: the capsules, and what lies behind them.
//!
//! <https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html>

use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::RecordBatch;
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::{RecordBatchIterator, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::errors::{InputError, internal};

const NAME: &CStr = c"arrow_array_stream";

/// Schema and batches behind a capsule, which is empty afterwards.
pub(crate) fn read(py: Python<'_>, capsule: &Bound<'_, PyCapsule>) -> PyResult<(SchemaRef, Vec<RecordBatch>)> {
    let pointer = capsule.pointer_checked(Some(NAME))?.cast::<FFI_ArrowArrayStream>();
    #[allow(unsafe_code, reason = "a capsule carries a pointer")]
    // SAFETY: the name of the capsule, checked above, promises that it points to a valid stream, which it owns. It is moved
    // out, and an empty one, which releases nothing, stays in its place.
    let mut stream = unsafe { FFI_ArrowArrayStream::from_raw(pointer.as_ptr()) };
    if stream.release().is_none() {
        return Err(InputError::new_err(("frame", "its stream must not have been read before")));
    }
    // The producer may need the interpreter (DuckDB does), and takes it itself.
    guarded(py, move || {
        let reader = RecordBatchStreamReader::try_new(std::mem::replace(&mut stream, FFI_ArrowArrayStream::empty()))?;
        let schema = reader.schema();
        Ok((schema, reader.collect::<Result<Vec<_>, _>>()?))
    })?
    .map_err(|error: ArrowError| broken(&error))
}

/// Runs `work` on columns of someone else's without the interpreter lock; a panic over a malformed one comes back as an
/// exception.
pub(crate) fn guarded<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    py.detach(|| catch_unwind(AssertUnwindSafe(work))).map_err(|panic| internal(panic.as_ref()))
}

/// A capsule that gives these batches once.
pub(crate) fn write<'py>(
    py: Python<'py>,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
) -> PyResult<Bound<'py, PyCapsule>> {
    let reader = RecordBatchIterator::new(batches.into_iter().map(Ok), schema);
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(reader)), NAME)
}

/// What Arrow says of a stream that cannot be read.
pub(crate) fn broken(error: &ArrowError) -> PyErr {
    InputError::new_err(("frame", "must be an Arrow stream that can be read", "", error.to_string()))
}
