//! A table of Arrow columns: what comes in by a C stream, is kept beside a book, and goes out with the results.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, RecordBatchOptions,
    StringArray,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use levcore::Numbering;
use levcore::memory::room_for;
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList};

use crate::arrow_cells::{Fault, integers, number_of_text, numbers};
use crate::arrow_labels::{Label, Labels};
use crate::arrow_numbers::copied;
use crate::arrow_pickle::{PackedArray, PackedType};
use crate::arrow_stream::{broken, guarded, read, write};
use crate::errors::{DTypeError, InputError, to_python};
use crate::labels::known_labels;

const CHARACTERS_SHOWN: usize = 40;
const NUMBER_IN_TEXT: &str =
    "a number with a decimal point and no thousands separators, such as -1250.5; an empty cell where there is none";
/// Key of a row without a word, which no dictionary has.
const NO_WORD: i32 = -1;

type Reduced<'py> = (Bound<'py, PyAny>, (Vec<PackedType>, Vec<(usize, Vec<PackedArray>)>));

/// Columns by name, as Arrow holds them.
#[pyclass(frozen, module = "levcore._levcore")]
pub(crate) struct Table {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl Table {
    fn place(&self, name: &str) -> PyResult<usize> {
        let missing = |_| InputError::new_err((name.to_owned(), "is no column of the table", self.names().join(", ")));
        self.schema.index_of(name).map_err(missing)
    }

    fn chunks(&self, place: usize) -> impl Iterator<Item = &ArrayRef> {
        self.batches.iter().map(move |batch| batch.column(place))
    }

    fn fault(&self, place: usize, before: usize, rule: &str, expected: &str, fault: Fault) -> PyErr {
        let name = self.schema.field(place).name().clone();
        match fault {
            Fault::Core(error) => to_python(error),
            Fault::Type => {
                let found = self.schema.field(place).data_type().to_string();
                DTypeError::new_err((name, rule.to_owned(), expected.to_owned(), found))
            }
            Fault::Cell(row, rule, found) => {
                let shown: String = found.chars().take(CHARACTERS_SHOWN).collect();
                DTypeError::new_err((name, rule, expected.to_owned(), shown, before + row))
            }
        }
    }

    /// This table with a column behind the others, cut to the batches.
    fn with(&self, name: &str, column: &ArrayRef) -> PyResult<Self> {
        if name.contains('\0') {
            // A C string ends there, and Arrow's export ends the process over it.
            return Err(InputError::new_err((format!("{name:?}"), "a name must not hold a zero byte")));
        }
        let field = Field::new(name, column.data_type().clone(), true);
        let fields = self.schema.fields().iter().cloned().chain([Arc::new(field)]);
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let mut before = 0;
        let mut batches = Vec::with_capacity(self.batches.len());
        for batch in &self.batches {
            let mut columns = batch.columns().to_vec();
            columns.push(column.slice(before, batch.num_rows()));
            before += batch.num_rows();
            batches.push(RecordBatch::try_new(Arc::clone(&schema), columns).map_err(|error| broken(&error))?);
        }
        Ok(Self { schema, batches })
    }

    fn with_keys(&self, name: &str, keys: Int32Array, words: Vec<String>) -> PyResult<Self> {
        let values: ArrayRef = Arc::new(StringArray::from(words));
        let column = DictionaryArray::<Int32Type>::try_new(keys, values).map_err(|error| broken(&error))?;
        self.with(name, &(Arc::new(column) as ArrayRef))
    }

    fn check_length(&self, name: &str, found: usize) -> PyResult<()> {
        // A column in the making, which may double as it grows, and where it was before.
        room_for(found * 4 * size_of::<f64>()).map_err(to_python)?;
        if found == self.__len__() {
            return Ok(());
        }
        let rule = "must have one value a row";
        Err(InputError::new_err((name.to_owned(), rule, self.__len__().to_string(), found.to_string())))
    }
}

#[pymethods]
impl Table {
    /// A table of `rows` rows without columns.
    #[new]
    fn new(rows: usize) -> PyResult<Self> {
        let schema = Arc::new(Schema::empty());
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), Vec::new(), &options);
        Ok(Self { schema, batches: vec![batch.map_err(|error| broken(&error))?] })
    }

    /// The table of a capsule `arrow_array_stream`, which is empty afterwards.
    #[staticmethod]
    fn from_stream(py: Python<'_>, capsule: &Bound<'_, PyCapsule>) -> PyResult<Self> {
        let (schema, batches) = read(py, capsule)?;
        Ok(Self { schema, batches })
    }

    /// The table of what pickle kept.
    #[staticmethod]
    fn unpacked(fields: Vec<PackedType>, batches: Vec<(usize, Vec<PackedArray>)>) -> PyResult<Self> {
        let read = || -> Result<Self, ArrowError> {
            let fields = fields.iter().map(PackedType::field).collect::<Result<Vec<_>, _>>()?;
            let schema = Arc::new(Schema::new(fields));
            let batch = |(rows, columns): &(usize, Vec<PackedArray>)| {
                let kinds = schema.fields().iter().map(|field| field.data_type());
                let arrays = kinds.zip(columns).map(|(kind, packed)| packed.array(kind)).collect::<Result<_, _>>()?;
                let options = RecordBatchOptions::new().with_row_count(Some(*rows));
                RecordBatch::try_new_with_options(Arc::clone(&schema), arrays, &options)
            };
            let batches = batches.iter().map(batch).collect::<Result<_, _>>()?;
            Ok(Self { schema: Arc::clone(&schema), batches })
        };
        read().map_err(|error| broken(&error))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        let fields = self.schema.fields().iter().map(|field| PackedType::of(field)).collect::<Result<_, _>>();
        let pack = |batch: &RecordBatch| {
            let columns = batch.columns().iter().map(|column| PackedArray::of(py, &column.to_data())).collect();
            (batch.num_rows(), columns)
        };
        let state = (fields.map_err(|error| broken(&error))?, self.batches.iter().map(pack).collect());
        Ok((py.get_type::<Self>().getattr("unpacked")?, state))
    }

    fn __len__(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// Names of the columns.
    #[getter]
    fn names(&self) -> Vec<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    /// Arrow's word for the type of a column.
    fn kind(&self, name: &str) -> PyResult<String> {
        Ok(self.schema.field(self.place(name)?).data_type().to_string())
    }

    /// The table of these columns, in this order.
    fn select(&self, names: Vec<String>) -> PyResult<Self> {
        let places = names.iter().map(|name| self.place(name)).collect::<PyResult<Vec<_>>>()?;
        let chosen = |batch: &RecordBatch| batch.project(&places);
        let batches = self.batches.iter().map(chosen).collect::<Result<_, _>>().map_err(|error| broken(&error))?;
        Ok(Self { schema: Arc::new(self.schema.project(&places).map_err(|error| broken(&error))?), batches })
    }

    /// A column as float64, NaN for a null.
    fn numbers<'py>(&self, py: Python<'py>, name: &str, text: bool) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let place = self.place(name)?;
        // A chunk that is read stands beside those before it.
        room_for(self.__len__() * 4 * size_of::<f64>()).map_err(to_python)?;
        let mut values = Vec::with_capacity(self.__len__());
        for chunk in self.chunks(place) {
            let before = values.len();
            let expected = if text { NUMBER_IN_TEXT } else { "float, integer or decimal; cast text first" };
            let mut read = guarded(py, || numbers(chunk, text))?;
            match &mut read {
                Ok(read) if values.is_empty() => values = std::mem::take(read),
                Ok(read) => values.append(read),
                Err(_) => {}
            }
            read.map_err(|fault| self.fault(place, before, "must be numbers", expected, fault))?;
        }
        Ok(PyArray1::from_vec(py, values))
    }

    /// A column as codes and its distinct labels in the order of their first row, behind those that are `known`; "" for a null.
    #[pyo3(signature = (name, strip, known=None))]
    fn labels<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        strip: bool,
        known: Option<&Bound<'py, PyList>>,
    ) -> PyResult<(Bound<'py, PyArray1<u32>>, Bound<'py, PyList>)> {
        let place = self.place(name)?;
        room_for(self.__len__() * 4 * size_of::<u32>()).map_err(to_python)?;
        let (numbering, list) = known_labels(py, known)?;
        let mut found = Labels::new(strip, numbering);
        for chunk in self.chunks(place) {
            let before = found.codes.len();
            guarded(py, || found.add(chunk))?.map_err(|fault| {
                self.fault(place, before, "must be text", "text, a dictionary of text, or integers", fault)
            })?;
        }
        let Labels { labels, codes, .. } = found;
        for label in labels {
            match label {
                Label::Text(text) => list.append(text)?,
                Label::Integer(value) => list.append(value)?,
            }
        }
        Ok((PyArray1::from_vec(py, codes), list))
    }

    /// A column as Python's numbers, texts and truths; None for a null.
    fn values<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyList>> {
        let place = self.place(name)?;
        let list = PyList::empty(py);
        for chunk in self.chunks(place) {
            if *chunk.data_type() == DataType::Boolean {
                chunk.as_boolean().iter().try_for_each(|value| list.append(value))?;
            } else if let Ok(Some(values)) = integers(chunk) {
                values.into_iter().try_for_each(|value| list.append(value))?;
            } else if let Ok(values) = numbers(chunk, false) {
                let nulls = chunk.logical_nulls();
                for (row, value) in values.into_iter().enumerate() {
                    let null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
                    list.append(if null { None } else { Some(value) })?;
                }
            } else {
                self.append_texts(place, chunk, &list)?;
            }
        }
        Ok(list)
    }

    /// This table with a column of numbers behind the others: NaN is null, everything else as it is.
    fn with_numbers(&self, name: &str, values: PyReadonlyArray1<'_, f64>) -> PyResult<Self> {
        let values = values.as_array();
        self.check_length(name, values.len())?;
        let (numbers, nulls) = copied(values);
        self.with(name, &(Arc::new(Float64Array::new(numbers, nulls)) as ArrayRef))
    }

    /// This table with a column of numbers none of which is known.
    fn with_unknown_numbers(&self, name: &str) -> PyResult<Self> {
        let rows = self.__len__();
        self.check_length(name, rows)?;
        self.with(name, &(Arc::new(Float64Array::new_null(rows)) as ArrayRef))
    }

    /// This table with a column of words behind the others: `words[i]` where the code is `values[i]`; another code is null.
    fn with_codes(
        &self,
        name: &str,
        codes: PyReadonlyArray1<'_, u8>,
        values: Vec<u8>,
        words: Vec<String>,
    ) -> PyResult<Self> {
        let codes = codes.as_array();
        self.check_length(name, codes.len())?;
        let mut places = [NO_WORD; 1 << u8::BITS];
        for (place, value) in (0..).zip(values) {
            places[usize::from(value)] = place;
        }
        let keys: Vec<i32> = codes.iter().map(|&code| places[usize::from(code)]).collect();
        let nulls = keys.contains(&NO_WORD).then(|| NullBuffer::from_iter(keys.iter().map(|&key| key != NO_WORD)));
        self.with_keys(name, Int32Array::new(keys.into(), nulls), words)
    }

    /// This table with a column of words, given by their codes; the code of no word is null.
    fn with_words(&self, name: &str, codes: PyReadonlyArray1<'_, u32>, words: Vec<String>) -> PyResult<Self> {
        let codes = codes.as_array();
        self.check_length(name, codes.len())?;
        let known = |&code: &u32| if (code as usize) < words.len() { i32::try_from(code).ok() } else { None };
        let keys: Int32Array = codes.iter().map(known).collect();
        self.with_keys(name, keys, words)
    }

    /// This table with a column of texts or of integers; None is null.
    fn with_texts(&self, name: &str, texts: Vec<Option<String>>) -> PyResult<Self> {
        self.check_length(name, texts.len())?;
        let bytes: usize = texts.iter().flatten().map(String::len).sum();
        room_for(bytes * 3).map_err(to_python)?;
        let mut column = StringBuilder::new();
        texts.iter().for_each(|text| column.append_option(text.as_deref()));
        self.with(name, &(Arc::new(column.finish()) as ArrayRef))
    }

    /// The same of texts given by their codes; the code of no text is null.
    fn with_coded_texts(&self, name: &str, codes: PyReadonlyArray1<'_, u32>, texts: Vec<String>) -> PyResult<Self> {
        let codes = codes.as_array();
        self.check_length(name, codes.len())?;
        let column: StringArray = codes.iter().map(|&code| texts.get(code as usize)).collect();
        self.with(name, &(Arc::new(column) as ArrayRef))
    }

    /// This table with a column of whole numbers; None is null.
    fn with_integers(&self, name: &str, values: Vec<Option<i64>>) -> PyResult<Self> {
        self.check_length(name, values.len())?;
        self.with(name, &(Arc::new(Int64Array::from(values)) as ArrayRef))
    }

    /// The same of an array, which lacks none.
    fn with_whole_numbers(&self, name: &str, values: PyReadonlyArray1<'_, i64>) -> PyResult<Self> {
        let values = values.as_array();
        self.check_length(name, values.len())?;
        self.with(name, &(Arc::new(Int64Array::from(values.to_vec())) as ArrayRef))
    }

    /// A capsule that gives the table once. Another schema than its own may be asked for and is not given.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        drop(requested_schema);
        write(py, Arc::clone(&self.schema), self.batches.clone())
    }
}

impl Table {
    fn append_texts(&self, place: usize, chunk: &ArrayRef, list: &Bound<'_, PyList>) -> PyResult<()> {
        let mut found = Labels::new(false, Numbering::default());
        found.add(chunk).map_err(|fault| {
            self.fault(place, 0, "cannot be given row by row", "text, numbers or truths; others by a frame", fault)
        })?;
        let nulls = chunk.logical_nulls();
        for (row, &code) in found.codes.iter().enumerate() {
            let null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
            match found.labels[code as usize] {
                _ if null => list.append(None::<bool>)?,
                Label::Text(text) => list.append(text)?,
                Label::Integer(value) => list.append(value)?,
            }
        }
        Ok(())
    }
}

/// The number that a text of a file stands for, NaN for an empty one.
#[pyfunction]
pub(crate) fn text_to_number(text: &str) -> PyResult<f64> {
    number_of_text(text).map_err(|rule| {
        let shown: String = text.chars().take(CHARACTERS_SHOWN).collect();
        InputError::new_err(("text", rule, NUMBER_IN_TEXT, shown))
    })
}
