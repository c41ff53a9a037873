//! A book evaluated at marks: all but the prices is settled once, however often marks arrive.

use levcore::{
    AccountOutputs, BalanceOutputs, ByMeasure, Execution, InstructionSet, Layout, Measure, Outputs, PolicyAtMarks,
};
use numpy::{Element, PyArray, PyArray1, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::book::Book;
use crate::book_policies::BookPolicies;
use crate::borrowed::{FEW, Lent, Table};
use crate::calls::{Question, Results};
use crate::errors::{AliasError, to_python};

type Prices<'py> = Bound<'py, PyArray1<f64>>;

/// A book, its policies, and the outputs that its results are written to.
///
/// `wanted` is a bit mask of measures in the order of the table; `rows` has one row a wanted measure, and the codes of state and status;
/// `accounts` holds the same of the accounts, if there are any, `balances` that of the balances with a single row of codes. `later` is what
/// the caller writes after the call.
#[pyclass(frozen, module = "levcore._levcore")]
pub(crate) struct Evaluation {
    book: Py<Book>,
    #[pyo3(get)]
    policies: Py<BookPolicies>,
    wanted: u32,
    rows: Results,
    accounts: Option<Results>,
    balances: Option<Results>,
    later: Option<Results>,
    set: InstructionSet,
}

#[pymethods]
impl Evaluation {
    #[new]
    #[allow(clippy::too_many_arguments, reason = "the parts of one evaluation, each with its own owner")]
    fn new(
        book: Py<Book>,
        policies: Py<BookPolicies>,
        wanted: u32,
        rows: Results,
        accounts: Option<Results>,
        balances: Option<Results>,
        later: Option<Results>,
        instruction_set: &str,
    ) -> PyResult<Self> {
        let set = InstructionSet::named(instruction_set).map_err(to_python)?;
        Ok(Self { book, policies, wanted, rows, accounts, balances, later, set })
    }

    /// Evaluates the book at `marks`, as `BookPolicies` takes them; `asset_prices` holds the prices of each policy's assets, for books with
    /// balances. Prices on the memory of an output are refused before anything is written.
    fn run(&self, py: Python<'_>, marks: Prices<'_>, asset_prices: Vec<Prices<'_>>, threads: usize) -> PyResult<()> {
        self.refuse_own_memory(py, "marks", &marks)?;
        asset_prices.iter().try_for_each(|prices| self.refuse_own_memory(py, "asset_prices", prices))?;
        let lent = asset_prices.iter().map(|prices| Lent::of("asset_prices", prices));
        let (marks, lent) = (Lent::of("marks", &marks)?, lent.collect::<PyResult<_>>()?);
        let question = Question::at(py, self.book.get(), self.policies.get(), marks, lent, self.set, threads)?;
        let (row_count, account_count, balance_count) = question.sizes()?;
        let mut results = Table::of(py, "out", &self.rows.0)?;
        let mut codes = Table::of(py, "out", &self.rows.1)?;
        let mut measured = results.columns("out", self.wanted.count_ones() as usize, row_count)?;
        let is_wanted = |measure: Measure| self.wanted & (1 << measure as usize) != 0;
        let measured = ByMeasure::from_fn(|measure| if is_wanted(measure) { measured.next() } else { None });
        let [state, status] = codes.array("out", row_count)?;
        let mut tables = borrow_both(py, "out.accounts", self.accounts.as_ref())?;
        let mut balance_tables = borrow_both(py, "out.balances", self.balances.as_ref())?;
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
        let evaluate =
            |book: &levcore::Book<'_>, layout: &Layout, at: &[PolicyAtMarks<'_>], execution: Execution<'_>| {
                levcore::evaluate(book, layout, at, &outputs, execution)
            };
        let is_brief = row_count.max(account_count).max(balance_count) <= FEW;
        if is_brief { question.ask_briefly(evaluate) } else { question.ask(evaluate) }
    }
}

impl Evaluation {
    /// Compares addresses, not owners: a view through Arrow or a buffer has another owner and the same memory.
    fn refuse_own_memory(&self, py: Python<'_>, name: &'static str, prices: &Prices<'_>) -> PyResult<()> {
        let read = addresses(prices);
        let outputs = [Some(&self.rows), self.accounts.as_ref(), self.balances.as_ref(), self.later.as_ref()];
        let mut written = outputs
            .into_iter()
            .flatten()
            .flat_map(|(results, codes)| [addresses(results.bind(py)), addresses(codes.bind(py))]);
        if written.any(|written| written.start < read.end && read.start < written.end) {
            let rule = format!("shares memory with {name}");
            return Err(AliasError::new_err(("out", rule, "memory of its own", "the same memory")));
        }
        Ok(())
    }
}

/// Where the values of a contiguous array stand.
fn addresses<T: Element, D: numpy::ndarray::Dimension>(array: &Bound<'_, PyArray<T, D>>) -> std::ops::Range<usize> {
    let first = array.data().addr();
    first..first + array.len() * size_of::<T>()
}

/// Results and codes, borrowed for writing.
fn borrow_both<'py>(
    py: Python<'py>,
    argument: &'static str,
    given: Option<&Results>,
) -> PyResult<Option<(Table<'py, f64>, Table<'py, u8>)>> {
    let Some((results, codes)) = given else { return Ok(None) };
    Ok(Some((Table::of(py, argument, results)?, Table::of(py, argument, codes)?)))
}
