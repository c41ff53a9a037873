//! The book that a thread makes of changed accounts, one account a change, and its evaluation.

use std::ops::Range;

use crate::book::columns::{Balances, Book};
use crate::book::keys::{BalanceKeys, Codes, Keys};
use crate::book::layout::Layout;
use crate::codes::measures::{AccountMeasure, BalanceMeasure, ByMeasure};
use crate::codes::state::State;
use crate::codes::status::{AccountStatus, Status};
use crate::error::Result;
use crate::evaluate::questions::evaluate;
use crate::job::outputs::{AccountOutputs, BalanceOutputs, Outputs};
use crate::machine::execution::Execution;
use crate::machine::instruction_set::InstructionSet;
use crate::what_if::changes::NONE;
use crate::what_if::ledger::Ledger;
use crate::what_if::outputs::Side;
use crate::what_if::position::Position;
use crate::what_if::sparse_column::SparseColumn;

/// Rows from which on the book is evaluated: as many as stay in the cache.
const FULL: usize = 4_096;

/// Which columns a record goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Before,
    After,
    Source,
}

/// What is to be told of a change once the book is evaluated; [`NONE`]: there is no such row or account.
#[derive(Debug, Clone, Copy)]
struct Record {
    change: u32,
    when: When,
    row: u32,
    account: u32,
}

/// Columns of the book, results of its evaluation, and who wants them.
pub(crate) struct Scratch {
    instrument: Vec<u32>,
    policy: Vec<u32>,
    account: Vec<u32>,
    cross: Vec<bool>,
    quantity: Vec<f64>,
    entry_price: Vec<f64>,
    isolated_margin: SparseColumn,
    leverage: SparseColumn,
    funding: SparseColumn,
    risk_limit: SparseColumn,
    wallet_balance: Vec<f64>,
    account_status: Vec<AccountStatus>,
    balances: ScratchBalances,
    records: Vec<Record>,
    results: Vec<f64>,
    codes: Vec<u8>,
}

#[derive(Default)]
struct ScratchBalances {
    account: Vec<u32>,
    asset: Vec<u32>,
    policy: Vec<u32>,
    balance: Vec<f64>,
    liability: Vec<f64>,
    interest: Vec<f64>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            instrument: Vec::new(),
            policy: Vec::new(),
            account: Vec::new(),
            cross: Vec::new(),
            quantity: Vec::new(),
            entry_price: Vec::new(),
            isolated_margin: SparseColumn::new(f64::NAN),
            leverage: SparseColumn::new(f64::NAN),
            funding: SparseColumn::new(0.0),
            risk_limit: SparseColumn::new(f64::NAN),
            wallet_balance: Vec::new(),
            account_status: Vec::new(),
            balances: ScratchBalances::default(),
            records: Vec::new(),
            results: Vec::new(),
            codes: Vec::new(),
        }
    }
}

impl Scratch {
    /// Whether it is time to evaluate.
    pub(crate) fn is_full(&self) -> bool {
        self.instrument.len() + self.balances.asset.len() >= FULL || self.records.len() >= FULL
    }

    /// Adds a position and an account as the ledger has them.
    pub(crate) fn push(
        &mut self,
        ledger: &Ledger<'_>,
        change: u32,
        when: When,
        row: Option<u32>,
        account: Option<u32>,
    ) {
        let mut record = Record { change, when, row: NONE, account: NONE };
        if let Some(account) = account {
            record.account = self.wallet_balance.len() as u32;
            self.wallet_balance.push(ledger.wallet(account));
            self.account_status.push(ledger.known_status(account));
            let legs = ledger.book.members.legs.of(account as usize);
            let first = self.instrument.len();
            if let (Some(&start), Some(&last)) = (legs.first(), legs.last())
                && (last - start) as usize + 1 == legs.len()
            {
                self.push_neighbours(ledger, start as usize..last as usize + 1, record.account);
            } else {
                for &leg in legs {
                    if let Some(position) = ledger.position(leg) {
                        self.push_position(&position, record.account);
                    }
                }
            }
            for position in ledger.opened(account).filter_map(|leg| ledger.position(leg)) {
                self.push_position(&position, record.account);
            }
            let place = row.and_then(|row| ledger.legs(account).position(|leg| leg == row));
            record.row = place.map_or(NONE, |place| (first + place) as u32);
            if ledger.has_balances(account) {
                self.push_balances(ledger, account, record.account);
            }
        }
        if let Some(position) = row.filter(|_| record.row == NONE).and_then(|row| ledger.position(row)) {
            record.row = self.instrument.len() as u32;
            self.push_position(&position, NONE);
        }
        self.records.push(record);
    }

    /// Adds the legs of an account whose rows are neighbours, column by column.
    fn push_neighbours(&mut self, ledger: &Ledger<'_>, rows: Range<usize>, account: u32) {
        let (first, book) = (self.instrument.len(), &ledger.book.columns);
        let count = first + rows.len();
        self.instrument.extend_from_slice(&book.instrument[rows.clone()]);
        self.quantity.extend_from_slice(&book.quantity[rows.clone()]);
        self.entry_price.extend_from_slice(&book.entry_price[rows.clone()]);
        for (own, given) in [
            (&mut self.isolated_margin, book.isolated_margin),
            (&mut self.leverage, book.leverage),
            (&mut self.funding, book.accrued_funding),
            (&mut self.risk_limit, book.risk_limit),
        ] {
            own.extend(first, given, rows.clone());
        }
        match ledger.book.policy {
            Some(column) => self.policy.extend_from_slice(&column[rows.clone()]),
            None => self.policy.resize(count, 0),
        }
        self.account.resize(count, account);
        self.cross.resize(count, true);
        for (place, row) in (first..).zip(rows) {
            if let Some(position) = ledger.changed(row as u32) {
                self.set_position(place, &position);
            }
        }
    }

    fn set_position(&mut self, place: usize, position: &Position) {
        self.instrument[place] = position.instrument;
        self.policy[place] = position.policy;
        self.quantity[place] = position.quantity;
        self.entry_price[place] = position.entry_price;
        self.set_optional(place, position);
    }

    fn set_optional(&mut self, place: usize, position: &Position) {
        self.isolated_margin.set(place, position.isolated_margin);
        self.leverage.set(place, position.leverage);
        self.funding.set(place, position.funding);
        self.risk_limit.set(place, position.risk_limit);
    }

    fn push_position(&mut self, position: &Position, account: u32) {
        self.set_optional(self.instrument.len(), position);
        self.instrument.push(position.instrument);
        self.policy.push(position.policy);
        self.account.push(account);
        self.cross.push(account != NONE);
        self.quantity.push(position.quantity);
        self.entry_price.push(position.entry_price);
    }

    fn push_balances(&mut self, ledger: &Ledger<'_>, account: u32, code: u32) {
        let Some(given) = ledger.book.columns.balances else { return };
        let rows = ledger.book.members.balances.of(account as usize);
        let policy_of = |row: u32| ledger.book.balance_policy.map_or(0, |policy| policy[row as usize]);
        let policy = rows.first().map_or(0, |&row| policy_of(row));
        let balances = &mut self.balances;
        let mut push = |asset: u32, balance: f64, liability: f64, interest: f64| {
            balances.account.push(code);
            balances.asset.push(asset);
            balances.policy.push(policy);
            balances.balance.push(balance);
            balances.liability.push(liability);
            balances.interest.push(interest);
        };
        for &row in rows {
            let row = row as usize;
            let asset = given.asset[row];
            let balance = ledger.balance(account, asset, given.balance[row]);
            let of = |column: Option<&[f64]>| column.map_or(0.0, |column| column[row]);
            push(asset, balance, of(given.liability), of(given.interest));
        }
        for (asset, balance) in ledger.received(account) {
            push(asset, balance, 0.0, 0.0);
        }
    }

    /// Evaluates the book, stores what was wanted of it, and empties it.
    pub(crate) fn flush(
        &mut self,
        ledger: &Ledger<'_>,
        set: InstructionSet,
        after: &Side<'_>,
        before: Option<&Side<'_>>,
        source: Option<&Side<'_>>,
    ) -> Result<()> {
        if self.records.is_empty() {
            return Ok(());
        }
        let wanted = after.rows.iter().flatten().count();
        self.evaluate(ledger, set, after, wanted)?;
        for (side, when) in [(Some(after), When::After), (before, When::Before), (source, When::Source)] {
            if let Some(side) = side {
                self.store_rows(side, when);
                self.store_accounts(side, when, wanted);
            }
        }
        self.clear();
        Ok(())
    }

    fn evaluate(&mut self, ledger: &Ledger<'_>, set: InstructionSet, after: &Side<'_>, wanted: usize) -> Result<()> {
        let (rows, accounts, balances) = (self.instrument.len(), self.wallet_balance.len(), self.balances.asset.len());
        let floats = wanted * rows + AccountMeasure::COUNT * accounts + BalanceMeasure::COUNT * balances;
        self.results.resize(floats, 0.0);
        self.codes.resize(2 * (rows + accounts) + balances, 0);
        let own = &self.balances;
        let has_balances = ledger.book.columns.balances.is_some();
        let book = Book {
            instrument: &self.instrument,
            quantity: &self.quantity,
            entry_price: &self.entry_price,
            isolated_margin: self.isolated_margin.column(rows),
            leverage: ledger.book.has_leverage.then(|| self.leverage.filled(rows)),
            accrued_funding: self.funding.column(rows),
            risk_limit: self.risk_limit.column(rows),
            wallet_balance: &self.wallet_balance,
            account_status: Some(&self.account_status),
            balances: has_balances.then_some(Balances {
                asset: &own.asset,
                balance: &own.balance,
                liability: Some(&own.liability),
                interest: Some(&own.interest),
            }),
        };
        let labels = |of_row, labels| Codes { of_row, labels };
        let keys = Keys {
            instrument: labels(&self.instrument, ledger.book.base_of.len()),
            policy: (ledger.policies.len() > 1).then_some(labels(&self.policy, ledger.policies.len())),
            cross: (accounts > 0).then_some(&self.cross),
            account: labels(&self.account, accounts),
            balances: has_balances.then_some(BalanceKeys {
                account: labels(&own.account, accounts),
                asset: labels(&own.asset, ledger.book.assets),
                policy: Some(&own.policy),
            }),
            hedge: ledger.book.hedge,
            pool_all: ledger.book.pool_all,
        };
        let layout = Layout::new(&keys)?;
        let (mut floats, mut bytes) = (&mut self.results[..], &mut self.codes[..]);
        let columns = ByMeasure::from_fn(|measure| after.rows[measure].is_some().then(|| take(&mut floats, rows)));
        let row_codes = [take(&mut bytes, rows), take(&mut bytes, rows)];
        let of_accounts = std::array::from_fn(|_| take(&mut floats, accounts));
        let account_codes = [take(&mut bytes, accounts), take(&mut bytes, accounts)];
        let of_balances = std::array::from_fn(|_| take(&mut floats, balances));
        let [state, status] = row_codes;
        let [account_state, account_status] = account_codes;
        let outputs = Outputs::new(
            columns,
            state,
            status,
            AccountOutputs::new(of_accounts, account_state, account_status),
            BalanceOutputs::new(of_balances, take(&mut bytes, balances)),
        );
        let execution = Execution { set, threads: 1, interrupted: &mut || false };
        evaluate(&book, &layout, ledger.policies, &outputs, execution)
    }

    fn records_of(&self, when: When) -> impl Iterator<Item = &Record> + Clone {
        self.records.iter().filter(move |record| record.when == when)
    }

    /// Copies what was wanted of the positions, column by column: many columns at once would drive each other out of the cache.
    fn store_rows(&self, side: &Side<'_>, when: When) {
        let rows = self.instrument.len();
        for (place, column) in side.rows.iter().flatten().enumerate() {
            let results = &self.results[place * rows..(place + 1) * rows];
            for record in self.records_of(when) {
                let result = results.get(record.row as usize).copied().unwrap_or(f64::NAN);
                column.write_consecutive(record.change as usize, &[result]);
            }
        }
        for record in self.records_of(when) {
            let (change, row) = (record.change as usize, record.row as usize);
            if record.row == NONE {
                side.store_row_codes(change, State::Incomplete as u8, Status::NoPosition as u8);
            } else {
                side.store_row_codes(change, self.codes[row], self.codes[rows + row]);
            }
        }
    }

    /// The same of the accounts.
    fn store_accounts(&self, side: &Side<'_>, when: When, wanted: usize) {
        let (rows, accounts) = (self.instrument.len(), self.wallet_balance.len());
        for (measure, column) in side.accounts.iter().enumerate() {
            let first = wanted * rows + measure * accounts;
            let results = &self.results[first..first + accounts];
            for record in self.records_of(when) {
                let result = results.get(record.account as usize).copied().unwrap_or(f64::NAN);
                column.write_consecutive(record.change as usize, &[result]);
            }
        }
        let codes = &self.codes[2 * rows..];
        for record in self.records_of(when) {
            let (change, account) = (record.change as usize, record.account as usize);
            if record.account == NONE {
                side.store_account_codes(change, State::Incomplete as u8, AccountStatus::NoAccount as u8);
            } else {
                side.store_account_codes(change, codes[account], codes[accounts + account]);
            }
        }
    }

    fn clear(&mut self) {
        let Self { instrument, policy, account, cross, records, wallet_balance, account_status, balances, .. } = self;
        let Self { quantity, entry_price, isolated_margin, leverage, funding, risk_limit, .. } = self;
        for column in [instrument, policy, account, &mut balances.account, &mut balances.asset, &mut balances.policy] {
            column.clear();
        }
        cross.clear();
        records.clear();
        account_status.clear();
        for column in [isolated_margin, leverage, funding, risk_limit] {
            column.clear();
        }
        let of_balances = [&mut balances.balance, &mut balances.liability, &mut balances.interest];
        for column in [quantity, entry_price, wallet_balance].into_iter().chain(of_balances) {
            column.clear();
        }
    }
}

/// Takes the first values off a slice.
fn take<'a, T>(rest: &mut &'a mut [T], count: usize) -> &'a mut [T] {
    let (taken, left) = std::mem::take(rest).split_at_mut(count);
    *rest = left;
    taken
}
