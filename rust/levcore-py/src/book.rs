//! A book of positions: columns borrowed from NumPy, laid out once, evaluated many times.

use std::sync::{Arc, OnceLock};

use levcore::{AccountStatus, BalanceKeys, Codes, Keys, Layout, NO_ACCOUNT, RowsByAccount};
use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray1, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::borrowed::FEW;
use crate::door;
use crate::errors::to_python;

pub(crate) type Column = Py<PyArray1<f64>>;

/// Balances of accounts as `levcore.balances.BalanceColumns` holds them.
#[derive(FromPyObject)]
pub(crate) struct BalanceColumns {
    pub(crate) account: Py<PyArray1<u32>>,
    pub(crate) asset: Py<PyArray1<u32>>,
    pub(crate) asset_count: usize,
    pub(crate) policy: Option<Py<PyArray1<u32>>>,
    pub(crate) balance: Column,
    pub(crate) liability: Option<Column>,
    pub(crate) interest: Option<Column>,
}

/// Columns of a book and its order of evaluation.
#[pyclass(frozen, module = "levcore._levcore")]
pub(crate) struct Book {
    pub(crate) instrument: Py<PyArray1<u32>>,
    pub(crate) quantity: Column,
    pub(crate) entry_price: Column,
    pub(crate) isolated_margin: Option<Column>,
    pub(crate) leverage: Option<Column>,
    pub(crate) accrued_funding: Option<Column>,
    pub(crate) risk_limit: Option<Column>,
    pub(crate) wallet_balance: Column,
    pub(crate) account_status: Option<Arc<[AccountStatus]>>,
    pub(crate) balances: Option<BalanceColumns>,
    pub(crate) layout: Layout,
    account: Option<Py<PyArray1<u32>>>,
    rows_by_account: OnceLock<RowsByAccount>,
}

#[pymethods]
impl Book {
    #[new]
    #[allow(clippy::too_many_arguments, reason = "one argument a column")]
    fn new(
        py: Python<'_>,
        instrument: Py<PyArray1<u32>>,
        instrument_count: usize,
        policy: Option<PyReadonlyArray1<'_, u32>>,
        policy_count: usize,
        quantity: Column,
        entry_price: Column,
        isolated_margin: Option<Column>,
        leverage: Option<Column>,
        accrued_funding: Option<Column>,
        risk_limit: Option<Column>,
        cross: Option<PyReadonlyArray1<'_, bool>>,
        account: Option<Py<PyArray1<u32>>>,
        wallet_balance: Column,
        account_status: Option<Vec<u8>>,
        balances: Option<BalanceColumns>,
        hedge: bool,
        pool_all: bool,
    ) -> PyResult<Self> {
        let borrowed = instrument.bind(py).readonly();
        let policy = policy.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
        let of_rows = account.as_ref().map(|account| account.bind(py).readonly());
        let of_rows = of_rows.as_ref().map(PyReadonlyArray1::as_slice).transpose()?;
        let accounts = wallet_balance.bind(py).len();
        let of_balances = balances.as_ref().map(|balances| {
            let policy = balances.policy.as_ref().map(|policy| policy.bind(py).readonly());
            (balances.account.bind(py).readonly(), balances.asset.bind(py).readonly(), policy, balances.asset_count)
        });
        let balance_keys = match &of_balances {
            None => None,
            Some((account, asset, policy, asset_count)) => Some(BalanceKeys {
                account: Codes { of_row: account.as_slice()?, labels: accounts },
                asset: Codes { of_row: asset.as_slice()?, labels: *asset_count },
                policy: policy.as_ref().map(PyReadonlyArray1::as_slice).transpose()?,
            }),
        };
        let keys = Keys {
            instrument: Codes { of_row: borrowed.as_slice()?, labels: instrument_count },
            policy: policy.map(|of_row| Codes { of_row, labels: policy_count }),
            cross: cross.as_ref().map(PyReadonlyArray1::as_slice).transpose()?,
            account: Codes { of_row: of_rows.unwrap_or(&[]), labels: accounts },
            balances: balance_keys,
            hedge,
            pool_all,
        };
        let is_brief = keys.instrument.of_row.len() <= FEW && accounts <= FEW;
        let lay_out = || Layout::new(&keys);
        let layout = if is_brief { door::briefly(lay_out) } else { door::through(py, lay_out) }?;
        drop(of_balances);
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
            account_status: account_status.map(known_statuses).transpose()?,
            balances,
            layout,
            account,
            rows_by_account: OnceLock::new(),
        })
    }

    /// Whether the legs of every account are neighbours.
    #[getter]
    fn keeps_accounts_together(&self) -> bool {
        self.layout.keeps_accounts_together()
    }

    /// Whether any account is settled as one whole.
    #[getter]
    fn has_pooled_accounts(&self) -> bool {
        self.layout.has_pooled_accounts()
    }

    /// The row order in which a book like this one is evaluated fastest, as uint32.
    fn row_order<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<u32>>> {
        Ok(PyArray1::from_vec(py, self.layout.row_order().map_err(to_python)?))
    }
}

impl Book {
    /// The rows of each account, found when they are first asked for.
    pub(crate) fn rows_by_account(&self, py: Python<'_>) -> PyResult<&RowsByAccount> {
        if let Some(rows) = self.rows_by_account.get() {
            return Ok(rows);
        }
        let accounts = self.wallet_balance.bind(py).len();
        let account = self.account.as_ref().map(|account| account.bind(py).readonly());
        let found = match account.as_ref().map(PyReadonlyArray1::as_slice).transpose()? {
            Some(account) => door::through(py, || RowsByAccount::new(account, accounts))?,
            None => {
                let nobody = vec![NO_ACCOUNT; self.instrument.bind(py).len()];
                door::through(py, || RowsByAccount::new(&nobody, accounts))?
            }
        };
        Ok(self.rows_by_account.get_or_init(|| found))
    }
}

/// Statuses of accounts by their codes.
fn known_statuses(codes: Vec<u8>) -> PyResult<Arc<[AccountStatus]>> {
    let known = |(row, code)| {
        let word = AccountStatus::TABLE.iter().find(|word| word.value as u8 == code);
        word.map(|word| word.value).ok_or_else(|| {
            to_python(levcore::Error::Code {
                argument: "account_status",
                row,
                found: i64::from(code),
                limit: AccountStatus::COUNT,
            })
        })
    };
    codes.into_iter().enumerate().map(known).collect()
}
