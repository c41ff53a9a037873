//! Columns of labels as codes, from memory of NumPy's and from Python's own objects.

use std::borrow::Borrow;
use std::collections::HashMap;

use levcore::labels::AT_ONCE;
use levcore::machine::default_threads;
use levcore::{Numbered, Numbering, Text};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyList, PyString, PyTuple};

use crate::door;
use crate::errors::{not_contiguous, to_python};

/// Rows after which it is known whether objects come again.
const TRIED: usize = 4096;
/// One object in so many must have come before, else every row has one of its own.
const RARELY: usize = 4;

type CodesAndRows<'py> = (Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<i64>>);
type CodesAndLabels<'py> = (Bound<'py, PyArray1<u32>>, Bound<'py, PyList>);

/// Bytes a row of codes, labels, their index and what Python makes of them, where every row has a label of its own.
const MOST_BYTES_A_ROW: usize = 80;
/// Room for objects of a few rows.
const SOME_BYTES: usize = 4 << 20;

/// Refuses a column for whose labels there is no room: they grow where no error can be handed on.
fn room_for_labels(rows: usize) -> PyResult<()> {
    let bytes = rows.saturating_mul(MOST_BYTES_A_ROW).saturating_add(if rows > TRIED { SOME_BYTES } else { 0 });
    levcore::memory::room_for(bytes).map_err(to_python)
}

#[allow(clippy::cast_possible_wrap, reason = "a row of an array that is in memory")]
fn arrays(py: Python<'_>, numbered: Numbered) -> CodesAndRows<'_> {
    let rows = numbered.first_rows.into_iter().map(|row| row as i64).collect();
    (PyArray1::from_vec(py, numbered.codes), PyArray1::from_vec(py, rows))
}

/// Labels that are known before a column is looked at, and a list of them to which others may be added; none where Python alone can tell
/// them apart or one of them comes twice, which whoever knows better then finds.
pub(crate) fn known_labels<'py>(
    py: Python<'py>,
    known: Option<&Bound<'py, PyList>>,
) -> PyResult<(Numbering, Bound<'py, PyList>)> {
    if let Some(known) = known.filter(|known| !known.is_empty()) {
        let mut column = ObjectColumn::default();
        if column.add(known.len(), known.iter())? && column.numbering.len() == known.len() {
            return Ok((column.numbering, PyList::new(py, column.labels)?));
        }
    }
    Ok((Numbering::default(), PyList::empty(py)))
}

/// Codes of whole numbers, the labels that were known before, and the first row of each other code.
#[pyfunction]
#[pyo3(signature = (values, known=None))]
pub(crate) fn number_integers<'py>(
    py: Python<'py>,
    values: PyReadonlyArray1<'py, i64>,
    known: Option<&Bound<'py, PyList>>,
) -> PyResult<(CodesAndLabels<'py>, Bound<'py, PyArray1<i64>>)> {
    let values = values.as_slice().map_err(|_| not_contiguous("values"))?;
    room_for_labels(values.len())?;
    let (mut numbering, labels) = known_labels(py, known)?;
    let numbered = door::through(py, || levcore::number_integers(values, default_threads()?, &mut numbering))?;
    let (codes, rows) = arrays(py, numbered);
    Ok(((codes, labels), rows))
}

/// Codes of texts of `width` code points, the labels that were known before, and the first row of each other code.
#[pyfunction]
#[pyo3(signature = (points, width, known=None))]
pub(crate) fn number_code_points<'py>(
    py: Python<'py>,
    points: PyReadonlyArray1<'py, u32>,
    width: usize,
    known: Option<&Bound<'py, PyList>>,
) -> PyResult<(CodesAndLabels<'py>, Bound<'py, PyArray1<i64>>)> {
    let points = points.as_slice().map_err(|_| not_contiguous("points"))?;
    room_for_labels(points.len() / width.max(1))?;
    let (mut numbering, labels) = known_labels(py, known)?;
    let number = || levcore::number_code_points(points, width, default_threads()?, &mut numbering);
    let (codes, rows) = arrays(py, door::through(py, number)?);
    Ok(((codes, labels), rows))
}

/// Rows of Python objects.
#[derive(FromPyObject)]
pub(crate) enum Objects<'py> {
    List(Bound<'py, PyList>),
    Tuple(Bound<'py, PyTuple>),
    Array(PyReadonlyArray1<'py, Py<PyAny>>),
}

/// Codes of objects, and the label of each code: its first object, "" for None; first those that are known.
///
/// None where one of them is neither str, nor an int of 64 bits, nor None: whether others are equal, only they know.
#[pyfunction]
#[pyo3(signature = (values, known=None))]
pub(crate) fn number_objects<'py>(
    py: Python<'py>,
    values: Objects<'py>,
    known: Option<&Bound<'py, PyList>>,
) -> PyResult<Option<CodesAndLabels<'py>>> {
    let (numbering, labels) = known_labels(py, known)?;
    let mut column = ObjectColumn { known: numbering.len(), numbering, ..ObjectColumn::default() };
    let understood = match &values {
        Objects::List(list) => column.add(list.len(), list.iter())?,
        Objects::Tuple(tuple) => column.add(tuple.len(), tuple.iter())?,
        Objects::Array(array) => {
            let objects = array.as_array();
            column.add(objects.len(), objects.iter().map(|object| object.bind(py)))?
        }
    };
    if !understood {
        return Ok(None);
    }
    column.labels.into_iter().try_for_each(|label| labels.append(label))?;
    Ok(Some((PyArray1::from_vec(py, column.codes), labels)))
}

/// Grows a column of codes by objects.
#[derive(Default)]
struct ObjectColumn<'py> {
    numbering: Numbering,
    /// Labels that were known before.
    known: usize,
    codes: Vec<u32>,
    labels: Vec<Bound<'py, PyAny>>,
}

impl<'py> ObjectColumn<'py> {
    /// Adds rows; whether all of them are labels. The objects live as long as what holds them, so that an address names one of them.
    fn add<Object: Borrow<Bound<'py, PyAny>>>(
        &mut self,
        rows: usize,
        objects: impl Iterator<Item = Object>,
    ) -> PyResult<bool> {
        room_for_labels(rows)?;
        self.codes.try_reserve_exact(rows).map_err(|_| to_python(levcore::Error::Memory { bytes: rows * 4 }))?;
        let mut known = Known { is_useless: rows < AT_ONCE, ..Known::default() };
        let mut objects = objects;
        let mut some: Vec<Object> = Vec::with_capacity(AT_ONCE);
        loop {
            // Objects stand anywhere in memory: looked at together, one wait serves all of them.
            some.clear();
            some.extend(objects.by_ref().take(AT_ONCE));
            let mut codes = [None; AT_ONCE];
            for (code, object) in codes.iter_mut().zip(&some) {
                *code = known.code(object.borrow().as_ptr().addr());
            }
            if some.len() == AT_ONCE
                && codes.iter().all(Option::is_none)
                && let Some(found) = self.codes_of_texts(&some)?
            {
                codes = found.map(Some);
                let of_objects = some.iter().zip(found);
                of_objects.for_each(|(object, code)| known.remember(object.borrow().as_ptr().addr(), code));
            }
            for (object, code) in some.iter().zip(codes) {
                let object = object.borrow();
                let code = match code {
                    Some(code) => code,
                    None => {
                        let Some(code) = self.code(object)? else { return Ok(false) };
                        known.remember(object.as_ptr().addr(), code);
                        code
                    }
                };
                self.codes.push(code);
            }
            if some.len() < AT_ONCE {
                return Ok(true);
            }
        }
    }

    /// Codes of objects that are all texts; None where one is not.
    fn codes_of_texts<Object: Borrow<Bound<'py, PyAny>>>(
        &mut self,
        objects: &[Object],
    ) -> PyResult<Option<[u32; AT_ONCE]>> {
        let mut texts = [Text::default(); AT_ONCE];
        for (text, object) in texts.iter_mut().zip(objects) {
            // A lone surrogate has no UTF-8.
            let Some(known) = object.borrow().cast_exact::<PyString>().ok().and_then(|text| text.to_str().ok()) else {
                return Ok(None);
            };
            *text = Text::of(known.as_bytes());
        }
        let codes = self.numbering.texts(&texts[..objects.len()]).map_err(to_python)?;
        for (object, code) in objects.iter().zip(codes) {
            if code as usize == self.known + self.labels.len() {
                self.labels.push(object.borrow().clone());
            }
        }
        Ok(Some(codes))
    }

    /// Code of an object by its content; None where it is no label.
    fn code(&mut self, object: &Bound<'py, PyAny>) -> PyResult<Option<u32>> {
        let code = if let Ok(text) = object.cast_exact::<PyString>() {
            // A lone surrogate has no UTF-8.
            let Ok(text) = text.to_str() else { return Ok(None) };
            self.numbering.text(text.as_bytes())
        } else if object.is_none() {
            self.numbering.text(b"")
        } else if let Ok(integer) = object.cast_exact::<PyInt>() {
            let Ok(integer) = integer.extract::<i64>() else { return Ok(None) };
            self.numbering.integer(integer)
        } else {
            return Ok(None);
        };
        let code = code.map_err(to_python)?;
        if code as usize == self.known + self.labels.len() {
            let is_none = object.is_none();
            self.labels.push(if is_none { PyString::new(object.py(), "").into_any() } else { object.clone() });
        }
        Ok(Some(code))
    }
}

/// Codes by address, as columns often hold the same object many times; given up where they do not.
#[derive(Default)]
struct Known {
    last: Option<(usize, u32)>,
    codes: HashMap<usize, u32, std::hash::BuildHasherDefault<AddressHasher>>,
    tried: usize,
    is_useless: bool,
}

impl Known {
    #[inline]
    fn code(&mut self, address: usize) -> Option<u32> {
        if let Some((last, code)) = self.last
            && last == address
        {
            return Some(code);
        }
        if self.is_useless {
            return None;
        }
        self.tried += 1;
        let code = self.codes.get(&address).copied();
        if let Some(code) = code {
            self.last = Some((address, code));
        }
        code
    }

    fn remember(&mut self, address: usize, code: u32) {
        self.last = Some((address, code));
        if self.is_useless {
            return;
        }
        if self.tried >= TRIED && self.codes.len() > self.tried - self.tried / RARELY {
            self.is_useless = true;
            self.codes = HashMap::default();
            return;
        }
        self.codes.insert(address, code);
    }
}

/// Hash of an address: a multiplication, whose upper bits depend on all of it.
#[derive(Default)]
struct AddressHasher(u64);

impl std::hash::Hasher for AddressHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_usize(usize::from(byte)));
    }

    fn write_usize(&mut self, address: usize) {
        self.0 = (self.0 ^ address as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(26);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
