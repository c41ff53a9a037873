//! A book of positions: columns borrowed from NumPy, laid out once, evaluated many times.

use levcore::evaluate::{ACCOUNT_MEASURES, AccountOutputs, Outputs};
use levcore::instruction_set::InstructionSet;
use levcore::layout::Layout;
use levcore::measures;
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadwriteArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::errors::{ShapeError, alias, not_contiguous, to_python};
use crate::policy::Policy;
use crate::{door, errors};

type Column = Py<PyArray1<f64>>;

/// Columns of a book and its order of evaluation.
#[pyclass(frozen, module = "levcore._levcore")]
pub(crate) struct Book {
    instrument: Py<PyArray1<u32>>,
    quantity: Column,
    entry_price: Column,
    isolated_margin: Option<Column>,
    leverage: Option<Column>,
    accrued_funding: Option<Column>,
    risk_limit: Option<Column>,
    wallet_balance: Column,
    layout: Layout,
}

#[pymethods]
impl Book {
    #[new]
    #[allow(clippy::too_many_arguments, reason = "one argument a column")]
    fn new(
        py: Python<'_>,
        instrument: Py<PyArray1<u32>>,
        instrument_count: usize,
        quantity: Column,
        entry_price: Column,
        isolated_margin: Option<Column>,
        leverage: Option<Column>,
        accrued_funding: Option<Column>,
        risk_limit: Option<Column>,
        cross: Option<PyReadonlyArray1<'_, bool>>,
        account: Option<PyReadonlyArray1<'_, u32>>,
        wallet_balance: Column,
    ) -> PyResult<Self> {
        let borrowed = instrument.bind(py).readonly();
        let codes = borrowed.as_slice()?;
        let cross = cross.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
        let accounts = account.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
        let account_count = wallet_balance.bind(py).len();
        let layout = door::through(py, || Layout::new(codes, instrument_count, cross, accounts, account_count))?;
        drop(borrowed);
        Ok(Self {
            instrument,
            quantity,
            entry_price,
            isolated_margin,
            leverage,
            accrued_funding,
            risk_limit,
            wallet_balance,
            layout,
        })
    }

    /// Whether the legs of every account are neighbours.
    #[getter]
    fn keeps_accounts_together(&self) -> bool {
        self.layout.keeps_accounts_together()
    }

    /// The row order in which a book like this one is evaluated fastest, as uint32.
    fn row_order<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u32>> {
        PyArray1::from_vec(py, self.layout.row_order())
    }
}

/// A borrowed column; the borrow ends with the call.
struct Borrowed<'py>(Option<PyReadonlyArray1<'py, f64>>);

impl<'py> Borrowed<'py> {
    fn of(py: Python<'py>, argument: &'static str, column: Option<&Column>) -> PyResult<Self> {
        let Some(column) = column else { return Ok(Self(None)) };
        match column.bind(py).try_readonly() {
            Ok(borrowed) => Ok(Self(Some(borrowed))),
            Err(error) => Err(alias(argument, &error.to_string())),
        }
    }

    fn slice(&self, argument: &'static str) -> PyResult<Option<&[f64]>> {
        self.0.as_ref().map(|column| column.as_slice().map_err(|_| not_contiguous(argument))).transpose()
    }
}

/// Rows of a two-dimensional output, each its own column, cut to `rows` values.
fn columns<'a, T: numpy::Element>(
    argument: &'static str,
    array: &'a mut PyReadwriteArray2<'_, T>,
    count: usize,
    rows: usize,
) -> PyResult<Vec<&'a mut [T]>> {
    let shape = [array.shape()[0], array.shape()[1]];
    if shape[0] != count || shape[1] < rows {
        let expected = format!("({count}, at least {rows})");
        return Err(ShapeError::new_err((argument, "must have one row a measure", expected, format!("{shape:?}"))));
    }
    let values = array.as_slice_mut().map_err(|_| not_contiguous(argument))?;
    if shape[1] == 0 {
        return Ok((0..count).map(|_| <&mut [T]>::default()).collect());
    }
    Ok(values.chunks_exact_mut(shape[1]).map(|row| &mut row[..rows]).collect())
}

fn writable<'py, T: numpy::Element>(
    py: Python<'py>,
    argument: &'static str,
    array: &Py<PyArray2<T>>,
) -> PyResult<PyReadwriteArray2<'py, T>> {
    array.bind(py).clone().try_readwrite().map_err(|error| alias(argument, &error.to_string()))
}

/// Evaluates a book at marks into caller-owned outputs.
///
/// `compiled` maps the book's instruments to the policy's (negative: unknown), `wanted` is a bit mask of measures in the order of the
/// table, `results` has one row a wanted measure, `codes` the rows state and status; likewise for the accounts.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "the parts of one evaluation, each with its own owner")]
pub(crate) fn evaluate(
    py: Python<'_>,
    book: &Book,
    policy: &Policy,
    compiled: PyReadonlyArray1<'_, i64>,
    marks: PyReadonlyArray1<'_, f64>,
    wanted: u32,
    results: Py<PyArray2<f64>>,
    codes: Py<PyArray2<u8>>,
    account_results: Py<PyArray2<f64>>,
    account_codes: Py<PyArray2<u8>>,
    instruction_set: Option<&str>,
    threads: usize,
) -> PyResult<()> {
    let quantity = Borrowed::of(py, "quantity", Some(&book.quantity))?;
    let entry_price = Borrowed::of(py, "entry_price", Some(&book.entry_price))?;
    let isolated_margin = Borrowed::of(py, "isolated_margin", book.isolated_margin.as_ref())?;
    let leverage = Borrowed::of(py, "leverage", book.leverage.as_ref())?;
    let accrued_funding = Borrowed::of(py, "accrued_funding", book.accrued_funding.as_ref())?;
    let risk_limit = Borrowed::of(py, "risk_limit", book.risk_limit.as_ref())?;
    let wallet_balance = Borrowed::of(py, "wallet_balance", Some(&book.wallet_balance))?;
    let instrument = book.instrument.bind(py).readonly();
    let columns_of_book = levcore::book::Book {
        instrument: instrument.as_slice()?,
        quantity: quantity.slice("quantity")?.unwrap_or(&[]),
        entry_price: entry_price.slice("entry_price")?.unwrap_or(&[]),
        isolated_margin: isolated_margin.slice("isolated_margin")?,
        leverage: leverage.slice("leverage")?,
        accrued_funding: accrued_funding.slice("accrued_funding")?,
        risk_limit: risk_limit.slice("risk_limit")?,
        wallet_balance: wallet_balance.slice("wallet_balance")?.unwrap_or(&[]),
    };
    let (rows, accounts) = (columns_of_book.rows(), columns_of_book.wallet_balance.len());
    let places: Vec<Option<usize>> = compiled.as_slice()?.iter().map(|&place| usize::try_from(place).ok()).collect();
    let marks = marks.as_slice()?;

    let mut results = writable(py, "out", &results)?;
    let mut codes = writable(py, "out", &codes)?;
    let mut account_results = writable(py, "out.accounts", &account_results)?;
    let mut account_codes = writable(py, "out.accounts", &account_codes)?;
    let mut wanted_columns = columns("out", &mut results, wanted.count_ones() as usize, rows)?.into_iter();
    let measure_columns: [Option<&mut [f64]>; measures::COUNT] =
        std::array::from_fn(|measure| if wanted & (1 << measure) == 0 { None } else { wanted_columns.next() });
    let [state, status] = pair("out", columns("out", &mut codes, 2, rows)?)?;
    let of_accounts = columns("out.accounts", &mut account_results, ACCOUNT_MEASURES.len(), accounts)?;
    let Ok(of_accounts) = <[&mut [f64]; 6]>::try_from(of_accounts) else { return Err(not_contiguous("out.accounts")) };
    let [account_state, account_status] =
        pair("out.accounts", columns("out.accounts", &mut account_codes, 2, accounts)?)?;
    let outputs =
        Outputs::new(measure_columns, state, status, AccountOutputs::new(of_accounts, account_state, account_status));

    let set = match instruction_set {
        Some(name) => InstructionSet::named(name),
        None => InstructionSet::from_environment(),
    }
    .map_err(to_python)?;
    let mut signal: Option<PyErr> = None;
    let outcome = door::through(py, || {
        // Short calls end before anybody can press a key; long ones look for signals between batches of blocks.
        let mut interrupted = || {
            signal = Python::attach(|py| py.check_signals().err());
            signal.is_some()
        };
        levcore::evaluate::evaluate(
            &columns_of_book,
            &book.layout,
            &policy.inner,
            &places,
            marks,
            &outputs,
            set,
            threads,
            &mut interrupted,
        )
    });
    match signal {
        Some(signal) => Err(signal),
        None => outcome,
    }
}

fn pair<'a>(argument: &'static str, rows: Vec<&'a mut [u8]>) -> PyResult<[&'a mut [u8]; 2]> {
    rows.try_into().map_err(|_| errors::not_contiguous(argument))
}
