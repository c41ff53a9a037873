//! The trigger index over a copy of a book.

use levcore::InstructionSet;
use levcore::live::{self, Change, Market, ResidentBook, Subject, Ticks};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::book::Book;
use crate::book_policies::BookPolicies;
use crate::borrowed::BorrowedBook;
use crate::door;
use crate::errors::to_python;

type Floats<'py> = PyReadonlyArray1<'py, f64>;
type Codes<'py> = Bound<'py, PyArray1<u32>>;
type States<'py> = Bound<'py, PyArray1<u8>>;
/// Changes: instant, whether it is an account, row or code of the account; state before and now; liquidation price.
type Changes<'py> =
    (Bound<'py, PyArray1<u64>>, Bound<'py, PyArray1<bool>>, Codes<'py>, [States<'py>; 2], Bound<'py, PyArray1<f64>>);

/// Who is liquidatable in a book whose prices move.
#[pyclass(module = "levcore._levcore")]
pub(crate) struct TriggerIndex {
    layout: Py<Book>,
    policies: Py<BookPolicies>,
    set: InstructionSet,
    resident: ResidentBook,
    marks: Vec<f64>,
    index: live::TriggerIndex,
}

#[pymethods]
impl TriggerIndex {
    #[new]
    fn new(
        py: Python<'_>,
        book: Py<Book>,
        policies: Py<BookPolicies>,
        marks: Floats<'_>,
        instruction_set: &str,
    ) -> PyResult<Self> {
        let set = InstructionSet::named(instruction_set).map_err(to_python)?;
        let marks = marks.as_slice()?.to_vec();
        let resident = ResidentBook::of(&BorrowedBook::of(py, book.get())?.columns()?);
        let layout = &book.get().layout;
        let parts = policies.get().at(&marks, &[])?;
        let index = door::through(py, || {
            let mut market = Market::new(&parts[0], layout, set)?;
            live::TriggerIndex::new(&resident.book(), &mut market)
        })?;
        drop(parts);
        Ok(Self { layout: book, policies, set, resident, marks, index })
    }

    /// Verdicts that ticks change, instant by instant.
    fn ticks<'py>(
        &mut self,
        py: Python<'py>,
        starts: PyReadonlyArray1<'py, u64>,
        instrument: PyReadonlyArray1<'py, u32>,
        price: Floats<'py>,
    ) -> PyResult<Changes<'py>> {
        let Self { layout, policies, set, resident, marks, index } = self;
        let ticks = Ticks { starts: starts.as_slice()?, instrument: instrument.as_slice()?, price: price.as_slice()? };
        let layout = &layout.get().layout;
        let parts = policies.get().at(marks, &[])?;
        let (instants, changes, moved) = door::through(py, || {
            ticks.check(marks.len())?;
            let mut market = Market::new(&parts[0], layout, *set)?;
            let (mut instants, mut changes, mut now) = (Vec::new(), Vec::new(), Vec::new());
            let book = resident.book();
            for instant in 0..ticks.instants() {
                now.clear();
                now.extend(ticks.at(instant));
                index.tick(&book, &mut market, &now, &mut changes);
                instants.resize(changes.len(), instant as u64);
            }
            let moved: Vec<f64> = (0..market.instruments() as u32).map(|code| market.mark(code)).collect();
            Ok((instants, changes, moved))
        })?;
        drop(parts);
        *marks = moved;
        Ok(columns(py, instants, &changes))
    }

    /// Everybody who is liquidatable: whether it is an account, and row or code of the account.
    fn liquidatable<'py>(&self, py: Python<'py>) -> (Bound<'py, PyArray1<bool>>, Codes<'py>) {
        let found = self.index.liquidatable();
        let kinds = PyArray1::from_iter(py, found.iter().map(|&subject| parts_of(subject).0));
        (kinds, PyArray1::from_iter(py, found.iter().map(|&subject| parts_of(subject).1)))
    }
}

fn parts_of(subject: Subject) -> (bool, u32) {
    match subject {
        Subject::Row(row) => (false, row),
        Subject::Account(code) => (true, code),
    }
}

fn columns<'py>(py: Python<'py>, instants: Vec<u64>, changes: &[Change]) -> Changes<'py> {
    (
        PyArray1::from_vec(py, instants),
        PyArray1::from_iter(py, changes.iter().map(|change| parts_of(change.subject).0)),
        PyArray1::from_iter(py, changes.iter().map(|change| parts_of(change.subject).1)),
        [
            PyArray1::from_iter(py, changes.iter().map(|change| change.before)),
            PyArray1::from_iter(py, changes.iter().map(|change| change.state)),
        ],
        PyArray1::from_iter(py, changes.iter().map(|change| change.liquidation_price)),
    )
}
