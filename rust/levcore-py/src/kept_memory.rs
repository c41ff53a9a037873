//! Memory of large results, and of the columns that they give to frames: what nobody holds any more, the next ones take.
//!
//! The system hands out memory page by page and cleared, which takes as long as to fill it. One pool a process keeps the last blocks: a column's
//! beside whoever holds it, a result's when its last view goes.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard};

use arrow_buffer::Buffer;
use numpy::PyArray1;
use pyo3::prelude::*;

/// Bytes that are kept at most: the oldest blocks go where there is too much.
const MOST_KEPT: usize = 512 << 20;
/// Bytes from which on the memory of a column is kept.
const LARGE_COLUMN: usize = 1 << 19;

/// Memory of up to twice the bytes that are needed.
enum Block {
    /// Of a column, which others may hold, too.
    Column(Buffer),
    /// Of a result that nobody holds: NumPy's, which asks the system for large pages.
    Result { memory: Py<PyArray1<f64>>, bytes: usize },
}

impl Block {
    fn bytes(&self) -> usize {
        match self {
            Self::Column(buffer) => buffer.capacity(),
            Self::Result { bytes, .. } => *bytes,
        }
    }

    fn is_free_column(&self) -> bool {
        matches!(self, Self::Column(buffer) if buffer.strong_count() == 1)
    }

    fn is_result(&self) -> bool {
        matches!(self, Self::Result { .. })
    }
}

static KEPT: Mutex<VecDeque<Block>> = Mutex::new(VecDeque::new());

/// The pool, unless it is in use: a lock that is held is not waited for, since after a fork nobody might give it back.
fn kept() -> Option<MutexGuard<'static, VecDeque<Block>>> {
    KEPT.try_lock().ok()
}

/// Blocks that serve for so many bytes: one that is much larger would be held for little.
fn sizes_for(bytes: usize) -> RangeInclusive<usize> {
    bytes..=2 * bytes
}

/// The first block of which this holds.
fn take(wanted: impl Fn(&Block) -> bool) -> Option<Block> {
    let mut kept = kept()?;
    kept.iter().position(wanted).and_then(|place| kept.remove(place))
}

fn keep(block: Block) {
    let mut gone = Vec::new();
    if let Some(mut kept) = kept() {
        if block.is_result() {
            // One result follows another; more of them would be held for nobody.
            gone.extend(kept.iter().position(Block::is_result).and_then(|place| kept.remove(place)));
        }
        kept.push_back(block);
        while kept.iter().map(Block::bytes).sum::<usize>() > MOST_KEPT {
            gone.extend(kept.pop_front());
        }
    }
    // Behind the lock, since NumPy takes its part back here.
    drop(gone);
}

/// An empty vector with room for so many values of a column.
pub(crate) fn column_memory(rows: usize) -> Vec<f64> {
    let bytes = rows * size_of::<f64>();
    if bytes >= LARGE_COLUMN
        && let Some(Block::Column(buffer)) =
            take(|block| block.is_free_column() && sizes_for(bytes).contains(&block.bytes()))
        && let Ok(mut memory) = buffer.into_vec()
    {
        memory.clear();
        return memory;
    }
    Vec::with_capacity(rows)
}

/// Keeps the memory of a large column beside whoever holds it.
pub(crate) fn keep_column(buffer: &Buffer) {
    if buffer.capacity() >= LARGE_COLUMN {
        keep(Block::Column(buffer.clone()));
    }
}

/// What owns the memory of a large result for NumPy: it lives as long as any view of the result does.
#[pyclass(frozen, module = "levcore._levcore")]
pub(crate) struct ResultMemory {
    memory: Option<Py<PyArray1<f64>>>,
    bytes: usize,
}

#[pymethods]
impl ResultMemory {
    /// Uninitialised memory for at least so many values.
    #[new]
    fn new(py: Python<'_>, values: usize) -> PyResult<Self> {
        let least = values * size_of::<f64>();
        match take(Block::is_result) {
            Some(Block::Result { memory, bytes }) if sizes_for(least).contains(&bytes) => {
                Ok(Self { memory: Some(memory), bytes })
            }
            // What does not fit goes back to the system.
            _ => {
                let memory = py.import("numpy")?.call_method1("empty", (values,))?.cast_into::<PyArray1<f64>>()?;
                Ok(Self { memory: Some(memory.unbind()), bytes: least })
            }
        }
    }

    /// Where the memory is, as NumPy asks for it.
    #[getter(__array_interface__)]
    fn array_interface<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.memory.as_ref().map(|memory| memory.bind(py).getattr("__array_interface__")).transpose()
    }
}

impl Drop for ResultMemory {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            keep(Block::Result { memory, bytes: self.bytes });
        }
    }
}

/// Bytes of the blocks that are kept, the oldest first, and how many are kept at most.
#[pyfunction]
pub(crate) fn kept_memory() -> (Vec<usize>, usize) {
    (kept().map_or_else(Vec::new, |kept| kept.iter().map(Block::bytes).collect()), MOST_KEPT)
}

/// Gives back all memory that is kept.
#[pyfunction]
pub(crate) fn release_memory() {
    let gone = kept().map(|mut kept| std::mem::take(&mut *kept));
    drop(gone);
}
