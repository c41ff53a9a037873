//! Columns of a book and its results, borrowed from NumPy for the length of a call.

use std::sync::Arc;

use levcore::AccountStatus;
use numpy::{Element, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadwriteArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::book::{BalanceColumns, Book, Column};
use crate::errors::{ShapeError, alias, not_contiguous};

/// Values up to which a column is read at once: writing a borrow down takes longer than a copy of so few. A book of so few rows is also
/// evaluated before another thread could take the interpreter and give it back.
pub(crate) const FEW: usize = 64;

/// Values that are read without memory of their own.
const FEWEST: usize = 8;

/// A column for the length of a call: borrowed, or read where it is short.
pub(crate) enum Lent<'py, T: Element> {
    Array(PyReadonlyArray1<'py, T>),
    Read(Vec<T>),
    Few([T; FEWEST], usize),
}

impl<'py, T: Element + Copy + Default> Lent<'py, T> {
    pub(crate) fn of(argument: &'static str, column: &Bound<'py, PyArray1<T>>) -> PyResult<Self> {
        let rows = column.len();
        if rows <= FEWEST {
            let mut few = [T::default(); FEWEST];
            for (row, value) in few[..rows].iter_mut().enumerate() {
                *value = column.get_owned(row).unwrap_or_default();
            }
            return Ok(Self::Few(few, rows));
        }
        if rows <= FEW {
            return column.to_vec().map(Self::Read).map_err(|_| not_contiguous(argument));
        }
        column.try_readonly().map(Self::Array).map_err(|error| alias(argument, &error.to_string()))
    }

    pub(crate) fn as_slice(&self, argument: &'static str) -> PyResult<&[T]> {
        match self {
            Self::Array(array) => array.as_slice().map_err(|_| not_contiguous(argument)),
            Self::Read(values) => Ok(values),
            Self::Few(values, rows) => Ok(&values[..*rows]),
        }
    }
}

/// A column that a book may lack.
type Borrowed<'py> = Option<Lent<'py, f64>>;

fn borrow<'py>(py: Python<'py>, argument: &'static str, column: Option<&Column>) -> PyResult<Borrowed<'py>> {
    column.map(|column| Lent::of(argument, column.bind(py))).transpose()
}

fn slice<'a>(argument: &'static str, column: &'a Borrowed<'_>) -> PyResult<Option<&'a [f64]>> {
    column.as_ref().map(|column| column.as_slice(argument)).transpose()
}

/// The columns of a book, borrowed for a call.
pub(crate) struct BorrowedBook<'py> {
    instrument: Lent<'py, u32>,
    quantity: Borrowed<'py>,
    entry_price: Borrowed<'py>,
    isolated_margin: Borrowed<'py>,
    leverage: Borrowed<'py>,
    accrued_funding: Borrowed<'py>,
    risk_limit: Borrowed<'py>,
    wallet_balance: Borrowed<'py>,
    account_status: Option<Arc<[AccountStatus]>>,
    balances: Option<BorrowedBalances<'py>>,
}

/// The columns of balances, borrowed for a call.
struct BorrowedBalances<'py> {
    asset: Lent<'py, u32>,
    balance: Borrowed<'py>,
    liability: Borrowed<'py>,
    interest: Borrowed<'py>,
}

impl<'py> BorrowedBalances<'py> {
    fn of(py: Python<'py>, balances: &BalanceColumns) -> PyResult<Self> {
        Ok(Self {
            asset: Lent::of("balances.asset", balances.asset.bind(py))?,
            balance: borrow(py, "balances.balance", Some(&balances.balance))?,
            liability: borrow(py, "balances.liability", balances.liability.as_ref())?,
            interest: borrow(py, "balances.interest", balances.interest.as_ref())?,
        })
    }

    fn columns(&self) -> PyResult<levcore::Balances<'_>> {
        Ok(levcore::Balances {
            asset: self.asset.as_slice("balances.asset")?,
            balance: slice("balances.balance", &self.balance)?.unwrap_or(&[]),
            liability: slice("balances.liability", &self.liability)?,
            interest: slice("balances.interest", &self.interest)?,
        })
    }
}

impl<'py> BorrowedBook<'py> {
    pub(crate) fn of(py: Python<'py>, book: &Book) -> PyResult<Self> {
        Ok(Self {
            instrument: Lent::of("instrument", book.instrument.bind(py))?,
            quantity: borrow(py, "quantity", Some(&book.quantity))?,
            entry_price: borrow(py, "entry_price", Some(&book.entry_price))?,
            isolated_margin: borrow(py, "isolated_margin", book.isolated_margin.as_ref())?,
            leverage: borrow(py, "leverage", book.leverage.as_ref())?,
            accrued_funding: borrow(py, "accrued_funding", book.accrued_funding.as_ref())?,
            risk_limit: borrow(py, "risk_limit", book.risk_limit.as_ref())?,
            wallet_balance: borrow(py, "wallet_balance", Some(&book.wallet_balance))?,
            account_status: book.account_status.clone(),
            balances: book.balances.as_ref().map(|balances| BorrowedBalances::of(py, balances)).transpose()?,
        })
    }

    pub(crate) fn columns(&self) -> PyResult<levcore::Book<'_>> {
        Ok(levcore::Book {
            instrument: self.instrument.as_slice("instrument")?,
            quantity: slice("quantity", &self.quantity)?.unwrap_or(&[]),
            entry_price: slice("entry_price", &self.entry_price)?.unwrap_or(&[]),
            isolated_margin: slice("isolated_margin", &self.isolated_margin)?,
            leverage: slice("leverage", &self.leverage)?,
            accrued_funding: slice("accrued_funding", &self.accrued_funding)?,
            risk_limit: slice("risk_limit", &self.risk_limit)?,
            wallet_balance: slice("wallet_balance", &self.wallet_balance)?.unwrap_or(&[]),
            account_status: self.account_status.as_deref(),
            balances: self.balances.as_ref().map(BorrowedBalances::columns).transpose()?,
        })
    }
}

/// A two-dimensional output, borrowed for writing.
pub(crate) struct Table<'py, T: numpy::Element>(PyReadwriteArray2<'py, T>);

impl<'py, T: numpy::Element> Table<'py, T> {
    pub(crate) fn of(py: Python<'py>, argument: &'static str, array: &Py<PyArray2<T>>) -> PyResult<Self> {
        array.bind(py).try_readwrite().map(Self).map_err(|error| alias(argument, &error.to_string()))
    }

    /// How many of its rows each of `times` has.
    pub(crate) fn rows_of(&self, times: usize) -> usize {
        self.0.shape()[0] / times.max(1)
    }

    /// Its rows, each a column of results, cut to `rows` values.
    pub(crate) fn columns(
        &mut self,
        argument: &'static str,
        count: usize,
        rows: usize,
    ) -> PyResult<impl Iterator<Item = &mut [T]>> {
        let shape = [self.0.shape()[0], self.0.shape()[1]];
        if shape[0] != count || shape[1] < rows {
            let expected = format!("({count}, at least {rows})");
            let rule = "must have one row a measure";
            return Err(ShapeError::new_err((argument, rule, expected, format!("{shape:?}"))));
        }
        let mut left = self.0.as_slice_mut().map_err(|_| not_contiguous(argument))?;
        Ok((0..count).map(move |_| {
            let (row, rest) = std::mem::take(&mut left).split_at_mut(shape[1]);
            left = rest;
            &mut row[..rows]
        }))
    }

    /// The same as an array.
    pub(crate) fn array<const COUNT: usize>(
        &mut self,
        argument: &'static str,
        rows: usize,
    ) -> PyResult<[&mut [T]; COUNT]> {
        let mut columns = self.columns(argument, COUNT, rows)?;
        Ok(std::array::from_fn(|_| columns.next().unwrap_or_default()))
    }
}
