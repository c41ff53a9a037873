//! The questions to a book at marks besides its risk: how far prices may move, how much to close, what each leg costs.

use levcore::{AccountOutputs, Betas, DistanceOutputs, Execution, InstructionSet, Layout, PolicyAtMarks};
use numpy::{PyArray2, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::book::Book;
use crate::book_policies::BookPolicies;
use crate::borrowed::{BorrowedBook, Lent, Table};
use crate::door;
use crate::errors::to_python;

pub(crate) type Floats<'py> = PyReadonlyArray1<'py, f64>;
pub(crate) type Results = (Py<PyArray2<f64>>, Py<PyArray2<u8>>);

/// A question of the core about distances.
type DistanceQuestion = fn(
    &levcore::Book<'_>,
    &Layout,
    &[PolicyAtMarks<'_>],
    &[Betas<'_>],
    &DistanceOutputs<'_>,
    Execution<'_>,
) -> levcore::Result<()>;

/// What every question is asked of, borrowed for the length of the call.
pub(crate) struct Question<'py> {
    py: Python<'py>,
    set: InstructionSet,
    threads: usize,
    layout: &'py Layout,
    policies: &'py BookPolicies,
    book: BorrowedBook<'py>,
    marks: Lent<'py, f64>,
    asset_prices: Vec<Lent<'py, f64>>,
}

impl<'py> Question<'py> {
    pub(crate) fn of(
        py: Python<'py>,
        book: &'py Book,
        policies: &'py BookPolicies,
        marks: Floats<'py>,
        asset_prices: Vec<Floats<'py>>,
        instruction_set: &str,
        threads: usize,
    ) -> PyResult<Self> {
        let set = InstructionSet::named(instruction_set).map_err(to_python)?;
        let asset_prices = asset_prices.into_iter().map(Lent::Array).collect();
        Self::at(py, book, policies, Lent::Array(marks), asset_prices, set, threads)
    }

    /// The same of prices that are already lent, with an instruction set that the processor has.
    pub(crate) fn at(
        py: Python<'py>,
        book: &'py Book,
        policies: &'py BookPolicies,
        marks: Lent<'py, f64>,
        asset_prices: Vec<Lent<'py, f64>>,
        set: InstructionSet,
        threads: usize,
    ) -> PyResult<Self> {
        let (layout, book) = (&book.layout, BorrowedBook::of(py, book)?);
        Ok(Self { py, set, threads, layout, policies, book, marks, asset_prices })
    }

    /// Number of rows, of accounts, of balances.
    pub(crate) fn sizes(&self) -> PyResult<(usize, usize, usize)> {
        let columns = self.book.columns()?;
        let balances = columns.balances.map_or(0, |balances| balances.balance.len());
        Ok((columns.rows(), columns.wallet_balance.len(), balances))
    }

    /// Asks the core, without the interpreter.
    pub(crate) fn ask(
        &self,
        answer: impl FnOnce(&levcore::Book<'_>, &Layout, &[PolicyAtMarks<'_>], Execution<'_>) -> levcore::Result<()> + Send,
    ) -> PyResult<()> {
        self.ask_at(0, 1, answer)
    }

    /// The same at the marks of one of several times.
    pub(crate) fn ask_at(
        &self,
        time: usize,
        times: usize,
        answer: impl FnOnce(&levcore::Book<'_>, &Layout, &[PolicyAtMarks<'_>], Execution<'_>) -> levcore::Result<()> + Send,
    ) -> PyResult<()> {
        self.lend(time, times, |book, layout, policies| {
            let work = |execution: Execution<'_>| answer(book, layout, policies, execution);
            door::through_with_signals(self.py, self.set, self.threads, work)
        })
    }

    /// Asks the core what is answered before another thread could make use of the interpreter.
    pub(crate) fn ask_briefly(
        &self,
        answer: impl FnOnce(&levcore::Book<'_>, &Layout, &[PolicyAtMarks<'_>], Execution<'_>) -> levcore::Result<()>,
    ) -> PyResult<()> {
        self.lend(0, 1, |book, layout, policies| {
            let execution = Execution { set: self.set, threads: 1, interrupted: &mut || false };
            door::briefly(|| answer(book, layout, policies, execution))
        })
    }

    /// Lends what was borrowed to the core, at the marks of one of several times.
    fn lend(
        &self,
        time: usize,
        times: usize,
        ask: impl FnOnce(&levcore::Book<'_>, &Layout, &[PolicyAtMarks<'_>]) -> PyResult<()>,
    ) -> PyResult<()> {
        let columns = self.book.columns()?;
        let asset_prices = self.asset_prices.iter().map(|prices| prices.as_slice("asset_prices"));
        let asset_prices = asset_prices.collect::<PyResult<Vec<_>>>()?;
        let marks = self.marks.as_slice("marks")?;
        let count = marks.len() / times;
        let policies = self.policies.at(&marks[time * count..][..count], &asset_prices)?;
        ask(&columns, self.layout, &policies)
    }

    /// Asks for distances, one a place of `results` and `codes`.
    fn distances(
        &self,
        betas: &[(Floats<'_>, Floats<'_>)],
        results: &Py<PyArray2<f64>>,
        codes: &Py<PyArray2<u8>>,
        count: usize,
        measure: DistanceQuestion,
    ) -> PyResult<()> {
        let betas = betas.iter().map(|(instruments, assets)| {
            PyResult::Ok(Betas { of_instruments: instruments.as_slice()?, of_assets: assets.as_slice()? })
        });
        let betas = betas.collect::<PyResult<Vec<_>>>()?;
        let mut results = Table::of(self.py, "out", results)?;
        let mut codes = Table::of(self.py, "out", codes)?;
        let [lower, upper] = results.array("out", count)?;
        let [status] = codes.array("out", count)?;
        let outputs = DistanceOutputs::new(lower, upper, status);
        self.ask(|book, layout, policies, execution| measure(book, layout, policies, &betas, &outputs, execution))
    }
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
    marks: Floats<'_>,
    asset_prices: Vec<Floats<'_>>,
    betas: Vec<(Floats<'_>, Floats<'_>)>,
    results: Py<PyArray2<f64>>,
    codes: Py<PyArray2<u8>>,
    instruction_set: &str,
    threads: usize,
) -> PyResult<()> {
    let question = Question::of(py, book, policies, marks, asset_prices, instruction_set, threads)?;
    let (_, account_count, _) = question.sizes()?;
    question.distances(&betas, &results, &codes, account_count, levcore::measure_distances)
}

/// Measures the same of each account without one of its legs after the other, by row; isolated rows are left as they are.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "the parts of one evaluation, each with its own owner")]
pub(crate) fn measure_distances_without(
    py: Python<'_>,
    book: &Book,
    policies: &BookPolicies,
    marks: Floats<'_>,
    asset_prices: Vec<Floats<'_>>,
    betas: Vec<(Floats<'_>, Floats<'_>)>,
    results: Py<PyArray2<f64>>,
    codes: Py<PyArray2<u8>>,
    instruction_set: &str,
    threads: usize,
) -> PyResult<()> {
    let question = Question::of(py, book, policies, marks, asset_prices, instruction_set, threads)?;
    let (row_count, ..) = question.sizes()?;
    question.distances(&betas, &results, &codes, row_count, levcore::measure_distances_without)
}

/// Judges each account without one of its legs after the other: the measures of an account and codes of state and status, by row.
///
/// `book` settles every account as one whole; isolated rows are left as they are.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "the parts of one evaluation, each with its own owner")]
pub(crate) fn leave_one_out(
    py: Python<'_>,
    book: &Book,
    policies: &BookPolicies,
    marks: Floats<'_>,
    asset_prices: Vec<Floats<'_>>,
    results: Py<PyArray2<f64>>,
    codes: Py<PyArray2<u8>>,
    instruction_set: &str,
    threads: usize,
) -> PyResult<()> {
    let question = Question::of(py, book, policies, marks, asset_prices, instruction_set, threads)?;
    let (row_count, ..) = question.sizes()?;
    let mut results = Table::of(py, "out", &results)?;
    let mut codes = Table::of(py, "out", &codes)?;
    let [state, status] = codes.array("out", row_count)?;
    let outputs = AccountOutputs::new(results.array("out", row_count)?, state, status);
    question
        .ask(|book, layout, policies, execution| levcore::leave_one_out(book, layout, policies, &outputs, execution))
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
    marks: Floats<'_>,
    asset_prices: Vec<Floats<'_>>,
    results: Py<PyArray2<f64>>,
    instruction_set: &str,
    threads: usize,
) -> PyResult<()> {
    let question = Question::of(py, book, policies, marks, asset_prices, instruction_set, threads)?;
    let (row_count, ..) = question.sizes()?;
    let mut results = Table::of(py, "out", &results)?;
    let [quantities] = results.array("out", row_count)?;
    question.ask(|book, layout, policies, execution| {
        levcore::quantities_to_close(book, layout, policies, quantities, execution)
    })
}
