//! The questions to a book at marks: its risk, how far prices may move, how much to close.

use levcore::distance::{Betas, DistanceOutputs};
use levcore::evaluate::{AccountOutputs, BalanceOutputs, Outputs};
use levcore::instruction_set::InstructionSet;
use levcore::measures;
use numpy::{PyArray2, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::book::Book;
use crate::book_policies::BookPolicies;
use crate::borrowed::{BorrowedBook, Table};
use crate::door;
use crate::errors::to_python;

type Results = (Py<PyArray2<f64>>, Py<PyArray2<u8>>);

/// Evaluates a book at marks into caller-owned outputs.
///
/// `marks` are as `BookPolicies` takes them, `wanted` is a bit mask of measures in the order of the table, `results` has one row a wanted
/// measure, `codes` the rows state and status; `accounts` holds the same of the accounts, if there are any, `balances` that of the balances
/// with a single row of codes. `asset_prices` holds the prices of each policy's assets, for books with balances.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "the parts of one evaluation, each with its own owner")]
pub(crate) fn evaluate(
    py: Python<'_>,
    book: &Book,
    policies: &BookPolicies,
    marks: PyReadonlyArray1<'_, f64>,
    wanted: u32,
    results: Py<PyArray2<f64>>,
    codes: Py<PyArray2<u8>>,
    accounts: Option<Results>,
    asset_prices: Vec<PyReadonlyArray1<'_, f64>>,
    balances: Option<Results>,
    instruction_set: &str,
    threads: usize,
) -> PyResult<()> {
    let set = InstructionSet::named(instruction_set).map_err(to_python)?;
    let borrowed = BorrowedBook::of(py, book)?;
    let columns = borrowed.columns()?;
    let (rows, account_count) = (columns.rows(), columns.wallet_balance.len());
    let asset_prices = asset_prices.iter().map(PyReadonlyArray1::as_slice).collect::<Result<Vec<_>, _>>()?;
    let policies = policies.at(marks.as_slice()?, &asset_prices)?;
    let balance_count = columns.balances.map_or(0, |balances| balances.balance.len());

    let mut results = Table::of(py, "out", &results)?;
    let mut codes = Table::of(py, "out", &codes)?;
    let mut measured = results.columns("out", wanted.count_ones() as usize, rows)?.into_iter();
    let measured: [Option<&mut [f64]>; measures::COUNT] =
        std::array::from_fn(|measure| if wanted & (1 << measure) == 0 { None } else { measured.next() });
    let [state, status] = codes.array("out", rows)?;
    let borrow_both = |argument: &'static str, given: Option<Results>| {
        given
            .map(|(results, codes)| {
                PyResult::Ok((Table::of(py, argument, &results)?, Table::of(py, argument, &codes)?))
            })
            .transpose()
    };
    let mut tables = borrow_both("out.accounts", accounts)?;
    let mut balance_tables = borrow_both("out.balances", balances)?;
    let accounts = match &mut tables {
        None => AccountOutputs::none(),
        Some((results, codes)) => {
            let [state, status] = codes.array("out.accounts", account_count)?;
            AccountOutputs::new(results.array("out.accounts", account_count)?, state, status)
        }
    };
    let balances = match &mut balance_tables {
        None => BalanceOutputs::none(),
        Some((results, codes)) => {
            let [status] = codes.array("out.balances", balance_count)?;
            BalanceOutputs::new(results.array("out.balances", balance_count)?, status)
        }
    };
    let outputs = Outputs::new(measured, state, status, accounts, balances);
    door::through_with_signals(py, |interrupted| {
        levcore::evaluate::evaluate(&columns, &book.layout, &policies, &outputs, set, threads, interrupted)
    })
}

/// Measures how far prices may move together until each account is liquidated: rows lower and upper of `results`, codes of status.
///
/// `book` settles every account as one whole; `betas` holds those of the book's instruments and of the assets for each policy.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "the parts of one evaluation, each with its own owner")]
pub(crate) fn measure_distances(
    py: Python<'_>,
    book: &Book,
    policies: &BookPolicies,
    marks: PyReadonlyArray1<'_, f64>,
    asset_prices: Vec<PyReadonlyArray1<'_, f64>>,
    betas: Vec<(PyReadonlyArray1<'_, f64>, PyReadonlyArray1<'_, f64>)>,
    results: Py<PyArray2<f64>>,
    codes: Py<PyArray2<u8>>,
    instruction_set: &str,
    threads: usize,
) -> PyResult<()> {
    let set = InstructionSet::named(instruction_set).map_err(to_python)?;
    let borrowed = BorrowedBook::of(py, book)?;
    let columns = borrowed.columns()?;
    let accounts = columns.wallet_balance.len();
    let asset_prices = asset_prices.iter().map(PyReadonlyArray1::as_slice).collect::<Result<Vec<_>, _>>()?;
    let policies = policies.at(marks.as_slice()?, &asset_prices)?;
    let betas = betas
        .iter()
        .map(|(instruments, assets)| {
            PyResult::Ok(Betas { of_instruments: instruments.as_slice()?, of_assets: assets.as_slice()? })
        })
        .collect::<PyResult<Vec<_>>>()?;
    let mut results = Table::of(py, "out", &results)?;
    let mut codes = Table::of(py, "out", &codes)?;
    let [lower, upper] = results.array("out", accounts)?;
    let [status] = codes.array("out", accounts)?;
    let outputs = DistanceOutputs::new(lower, upper, status);
    door::through_with_signals(py, |interrupted| {
        let layout = &book.layout;
        levcore::evaluate::measure_distances(&columns, layout, &policies, &betas, &outputs, set, threads, interrupted)
    })
}

/// Finds how much of each leg alone to close so that its account's margin call ends: contracts, one value a row.
///
/// `book` settles every account as one whole.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "the parts of one evaluation, each with its own owner")]
pub(crate) fn quantities_to_close(
    py: Python<'_>,
    book: &Book,
    policies: &BookPolicies,
    marks: PyReadonlyArray1<'_, f64>,
    asset_prices: Vec<PyReadonlyArray1<'_, f64>>,
    results: Py<PyArray2<f64>>,
    instruction_set: &str,
    threads: usize,
) -> PyResult<()> {
    let set = InstructionSet::named(instruction_set).map_err(to_python)?;
    let borrowed = BorrowedBook::of(py, book)?;
    let columns = borrowed.columns()?;
    let asset_prices = asset_prices.iter().map(PyReadonlyArray1::as_slice).collect::<Result<Vec<_>, _>>()?;
    let policies = policies.at(marks.as_slice()?, &asset_prices)?;
    let mut results = Table::of(py, "out", &results)?;
    let [quantities] = results.array("out", columns.rows())?;
    door::through_with_signals(py, |interrupted| {
        let layout = &book.layout;
        levcore::evaluate::quantities_to_close(&columns, layout, &policies, quantities, set, threads, interrupted)
    })
}
