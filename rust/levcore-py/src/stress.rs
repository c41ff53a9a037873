//! A book in many scenarios: its isolated positions, its cross accounts.

use levcore::stress::{self, AccountStressOutputs, Currencies, IndexOutputs, Scenarios, StressOutputs};
use numpy::{PyReadonlyArray1, PyReadwriteArray1};
use pyo3::prelude::*;

use crate::book::Book;
use crate::book_policies::BookPolicies;
use crate::calls::{Floats, Question};
use crate::errors::not_contiguous;

type Written<'py, T> = PyReadwriteArray1<'py, T>;

/// Adds up the isolated positions of a book in every scenario.
///
/// `prices` holds those of one scenario after the other, each as `evaluate` takes marks. `totals` has, currency by currency, equity,
/// maintenance margin, shortfall and liquidated notional, each by scenario; `numbers` the positions that are liquidated and those that could
/// not be judged, by scenario. Of each row `worst` has the scenario of its lowest equity, that equity, the number of scenarios in which it is
/// liquidated, and whether it was done at all: others are left to a full evaluation, and are in no total.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "the parts of one evaluation, each with its own owner")]
#[allow(clippy::type_complexity, reason = "columns by row")]
pub(crate) fn stress_isolated(
    py: Python<'_>,
    book: &Book,
    policies: &BookPolicies,
    prices: Floats<'_>,
    count: usize,
    currencies: Vec<usize>,
    mut totals: Written<'_, f64>,
    mut numbers: (Written<'_, i64>, Written<'_, i64>),
    mut worst: (Written<'_, i64>, Written<'_, f64>, Written<'_, i64>, Written<'_, bool>),
    instruction_set: &str,
    threads: usize,
) -> PyResult<()> {
    let outputs = StressOutputs {
        totals: totals.as_slice_mut()?,
        liquidated: numbers.0.as_slice_mut()?,
        not_judged: numbers.1.as_slice_mut()?,
        worst_scenario: worst.0.as_slice_mut()?,
        worst_equity: worst.1.as_slice_mut()?,
        liquidations: worst.2.as_slice_mut()?,
        done: worst.3.as_slice_mut()?,
    };
    let all = prices.as_slice().map_err(|_| not_contiguous("prices"))?;
    let scenarios = Scenarios { prices: all, count };
    let question = Question::of(py, book, policies, prices.clone(), Vec::new(), instruction_set, threads)?;
    question.ask_at(0, count.max(1), |book, layout, policies, execution| {
        stress::stress_isolated(book, layout, policies, &scenarios, &currencies, outputs, execution)
    })
}

/// Adds up the cross accounts of a book in every scenario; whether that could be done.
///
/// As above; `currencies` has the place of each instrument's currency, that of each wallet, and their number; `numbers` the accounts that are
/// liquidated, their positions, and the positions that could not be judged; `worst` what it has of each account.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "the parts of one evaluation, each with its own owner")]
#[allow(clippy::type_complexity, reason = "columns by scenario and by account")]
pub(crate) fn stress_accounts(
    py: Python<'_>,
    book: &Book,
    policies: &BookPolicies,
    prices: Floats<'_>,
    count: usize,
    currencies: (Vec<usize>, PyReadonlyArray1<'_, i64>, usize),
    mut totals: Written<'_, f64>,
    mut numbers: (Written<'_, i64>, Written<'_, i64>, Written<'_, i64>),
    mut worst: (Written<'_, i64>, Written<'_, f64>, Written<'_, i64>),
    instruction_set: &str,
    threads: usize,
) -> PyResult<bool> {
    let outputs = AccountStressOutputs {
        totals: totals.as_slice_mut()?,
        accounts: numbers.0.as_slice_mut()?,
        liquidated: numbers.1.as_slice_mut()?,
        not_judged: numbers.2.as_slice_mut()?,
        worst_scenario: worst.0.as_slice_mut()?,
        worst_equity: worst.1.as_slice_mut()?,
        liquidations: worst.2.as_slice_mut()?,
    };
    let (of_instruments, of_accounts, currency_count) = &currencies;
    let currencies = Currencies { of_instruments, of_accounts: of_accounts.as_slice()?, count: *currency_count };
    let all = prices.as_slice().map_err(|_| not_contiguous("prices"))?;
    let scenarios = Scenarios { prices: all, count };
    let question = Question::of(py, book, policies, prices.clone(), Vec::new(), instruction_set, threads)?;
    let mut done = false;
    question.ask_at(0, count.max(1), |book, layout, policies, execution| {
        done = stress::stress_accounts(book, layout, policies, &scenarios, &currencies, outputs, execution)?;
        Ok(())
    })?;
    Ok(done)
}

/// Isolated positions sorted by what becomes of them; the rest of the book is left to others.
#[pyclass(frozen, module = "levcore._levcore")]
pub(crate) struct StressIndex {
    book: Py<Book>,
    policies: Py<BookPolicies>,
    instruction_set: String,
    index: stress::StressIndex,
}

#[pymethods]
impl StressIndex {
    /// Sorts the positions for prices between the two given ones of each instrument; `done` says of each row whether it is in.
    #[new]
    #[allow(clippy::too_many_arguments, reason = "the parts of one evaluation, each with its own owner")]
    fn new(
        py: Python<'_>,
        book: Py<Book>,
        policies: Py<BookPolicies>,
        range: Floats<'_>,
        currencies: Vec<usize>,
        mut done: Written<'_, bool>,
        instruction_set: String,
        threads: usize,
    ) -> PyResult<Self> {
        let done = done.as_slice_mut()?;
        let ends = range.as_slice().map_err(|_| not_contiguous("range"))?;
        let scenarios = Scenarios { prices: ends, count: 2 };
        let mut index = None;
        let question =
            Question::of(py, book.get(), policies.get(), range.clone(), Vec::new(), &instruction_set, threads)?;
        question.ask_at(0, 2, |book, layout, policies, execution| {
            index = Some(stress::StressIndex::new(book, layout, policies, &scenarios, &currencies, done, execution)?);
            Ok(())
        })?;
        drop(question);
        let index = index.ok_or_else(|| not_contiguous("range"))?;
        Ok(Self { book, policies, instruction_set, index })
    }

    /// Adds up the positions in every scenario, as `stress_isolated` does; its outputs are as there.
    fn sums(
        &self,
        py: Python<'_>,
        prices: Floats<'_>,
        count: usize,
        mut totals: Written<'_, f64>,
        mut numbers: (Written<'_, i64>, Written<'_, i64>),
        threads: usize,
    ) -> PyResult<()> {
        let outputs = IndexOutputs {
            totals: totals.as_slice_mut()?,
            liquidated: numbers.0.as_slice_mut()?,
            not_judged: numbers.1.as_slice_mut()?,
        };
        let all = prices.as_slice().map_err(|_| not_contiguous("prices"))?;
        let scenarios = Scenarios { prices: all, count };
        let Self { book, policies, instruction_set, index } = self;
        let question =
            Question::of(py, book.get(), policies.get(), prices.clone(), Vec::new(), instruction_set, threads)?;
        question.ask_at(0, count.max(1), |book, layout, policies, execution| {
            index.sums(book, layout, policies, &scenarios, outputs, execution)
        })
    }
}
