//! A book evaluated at the marks of one time after the other.

use levcore::{AccountOutputs, BalanceOutputs, ByMeasure, Measure, Outputs};
use numpy::PyArray2;
use pyo3::prelude::*;

use crate::book::Book;
use crate::book_policies::BookPolicies;
use crate::borrowed::Table;
use crate::calls::{Floats, Question, Results};

/// Evaluates a book at the marks of every time.
///
/// `marks` holds those of one time after the other, each as `evaluate` takes them. Of each time `results` has one row a wanted measure,
/// `codes` the rows state and status, `accounts` and `balances` theirs: all rows of the first time, then all of the second.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "the parts of one evaluation, each with its own owner")]
pub(crate) fn evaluate_over(
    py: Python<'_>,
    book: &Book,
    policies: &BookPolicies,
    marks: Floats<'_>,
    times: usize,
    wanted: u32,
    results: Py<PyArray2<f64>>,
    codes: Py<PyArray2<u8>>,
    accounts: Results,
    asset_prices: Vec<Floats<'_>>,
    balances: Results,
    instruction_set: &str,
    threads: usize,
) -> PyResult<()> {
    let question = Question::of(py, book, policies, marks, asset_prices, instruction_set, threads)?;
    let (rows, account_count, balance_count) = question.sizes()?;
    let mut results = Table::of(py, "out", &results)?;
    let mut codes = Table::of(py, "out", &codes)?;
    let mut measured = results.columns("out", times * wanted.count_ones() as usize, rows)?;
    let mut codes = codes.columns("out", times * 2, rows)?;
    let mut accounts = Both::of(py, &accounts)?;
    let mut balances = Both::of(py, &balances)?;
    let (mut account_results, mut account_codes) = accounts.columns("out.accounts", times, account_count)?;
    let (mut balance_results, mut balance_codes) = balances.columns("out.balances", times, balance_count)?;
    let is_wanted = |measure: Measure| wanted & (1 << measure as usize) != 0;
    for time in 0..times {
        let columns = ByMeasure::from_fn(|measure| if is_wanted(measure) { measured.next() } else { None });
        let accounts = AccountOutputs::new(
            std::array::from_fn(|_| next(&mut account_results)),
            next(&mut account_codes),
            next(&mut account_codes),
        );
        let balances =
            BalanceOutputs::new(std::array::from_fn(|_| next(&mut balance_results)), next(&mut balance_codes));
        let outputs = Outputs::new(columns, next(&mut codes), next(&mut codes), accounts, balances);
        question.ask_at(time, times, |book, layout, policies, execution| {
            levcore::evaluate(book, layout, policies, &outputs, execution)
        })?;
    }
    Ok(())
}

fn next<'a, T: 'a>(rows: &mut impl Iterator<Item = &'a mut [T]>) -> &'a mut [T] {
    rows.next().unwrap_or_default()
}

/// Results and codes of all times.
struct Both<'py> {
    results: Table<'py, f64>,
    codes: Table<'py, u8>,
}

impl<'py> Both<'py> {
    fn of(py: Python<'py>, (results, codes): &Results) -> PyResult<Self> {
        Ok(Self { results: Table::of(py, "out", results)?, codes: Table::of(py, "out", codes)? })
    }

    /// Their rows, as many a time as each has of them.
    fn columns(
        &mut self,
        argument: &'static str,
        times: usize,
        count: usize,
    ) -> PyResult<(impl Iterator<Item = &mut [f64]>, impl Iterator<Item = &mut [u8]>)> {
        let (results, codes) = (self.results.rows_of(times), self.codes.rows_of(times));
        Ok((
            self.results.columns(argument, times * results, count)?,
            self.codes.columns(argument, times * codes, count)?,
        ))
    }
}
