//! The book with the changes of a sequence in it: what was changed lies over what was not.

use std::collections::HashMap;

use crate::codes::status::AccountStatus;
use crate::job::context::PolicyAtMarks;
use crate::rules::policy::Instrument;
use crate::what_if::changeable_book::ChangeableBook;
use crate::what_if::position::Position;

/// Entries up to which looking through all of them is faster than an index.
const FEW: usize = 8;

/// Values that replace those of a book, by key: few of them, or many with an index.
#[derive(Debug)]
pub(crate) struct Replaced<K, T> {
    entries: Vec<(K, T)>,
    index: HashMap<K, usize>,
}

impl<K: Copy + Eq + std::hash::Hash, T: Copy> Replaced<K, T> {
    fn new() -> Self {
        Self { entries: Vec::new(), index: HashMap::new() }
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.index.clear();
    }

    fn place(&self, key: K) -> Option<usize> {
        if self.entries.len() <= FEW {
            self.entries.iter().position(|entry| entry.0 == key)
        } else {
            self.index.get(&key).copied()
        }
    }

    pub(crate) fn get(&self, key: K) -> Option<T> {
        self.place(key).map(|place| self.entries[place].1)
    }

    fn set(&mut self, key: K, value: T) {
        if let Some(place) = self.place(key) {
            self.entries[place].1 = value;
            return;
        }
        self.entries.push((key, value));
        let count = self.entries.len();
        if count == FEW + 1 {
            self.index.extend(self.entries.iter().enumerate().map(|(place, entry)| (entry.0, place)));
        } else if count > FEW {
            self.index.insert(key, count - 1);
        }
    }
}

/// A book under changes.
pub(crate) struct Ledger<'a> {
    pub book: &'a ChangeableBook<'a>,
    pub policies: &'a [PolicyAtMarks<'a>],
    positions: Replaced<u32, Position>,
    wallets: Replaced<u32, f64>,
    /// Balances by account and asset.
    balances: Replaced<(u32, u32), f64>,
    /// Assets that accounts have received without a row of them, in order.
    received: Vec<(u32, u32)>,
    /// Account of each position opened, in order.
    opened: Vec<Option<u32>>,
}

impl<'a> Ledger<'a> {
    pub(crate) fn new(book: &'a ChangeableBook<'a>, policies: &'a [PolicyAtMarks<'a>]) -> Self {
        Self {
            book,
            policies,
            positions: Replaced::new(),
            wallets: Replaced::new(),
            balances: Replaced::new(),
            received: Vec::new(),
            opened: Vec::new(),
        }
    }

    /// The book as it is.
    pub(crate) fn reset(&mut self) {
        self.positions.clear();
        self.wallets.clear();
        self.balances.clear();
        self.received.clear();
        self.opened.clear();
    }

    /// The position at a row, if there is one.
    pub(crate) fn position(&self, row: u32) -> Option<Position> {
        self.positions.get(row).or_else(|| self.book.position(row))
    }

    /// What a change has made of the position at a row, if any did.
    pub(crate) fn changed(&self, row: u32) -> Option<Position> {
        self.positions.get(row)
    }

    /// Rows that changes have opened in an account.
    pub(crate) fn opened(&self, account: u32) -> impl Iterator<Item = u32> {
        let first = self.book.rows() as u32;
        let opened = self.opened.iter().zip(first..).filter(move |(owner, _)| **owner == Some(account));
        opened.map(|(_, row)| row)
    }

    pub(crate) fn set(&mut self, row: u32, position: Position) {
        self.positions.set(row, position);
    }

    /// Appends a row.
    pub(crate) fn open(&mut self, position: Position) -> u32 {
        let row = (self.book.rows() + self.opened.len()) as u32;
        self.opened.push(position.account);
        self.positions.set(row, position);
        row
    }

    /// Takes back the row that was appended last.
    pub(crate) fn forget_last(&mut self) {
        self.opened.pop();
        let last = self.positions.entries.pop();
        if let Some((row, _)) = last {
            self.positions.index.remove(&row);
        }
    }

    /// Rows of the legs of an account, ascending.
    pub(crate) fn legs(&self, account: u32) -> impl Iterator<Item = u32> {
        self.book.members.legs.of(account as usize).iter().copied().chain(self.opened(account))
    }

    /// The leg of an account in an instrument, in hedge mode the one on the side of `quantity`.
    pub(crate) fn leg(&self, account: u32, instrument: u32, quantity: f64) -> Option<u32> {
        self.legs(account).find(|&row| {
            self.position(row).is_some_and(|position| {
                let same = self.base_of(position.instrument) == self.base_of(instrument);
                let side = position.quantity == 0.0 || (position.quantity > 0.0) == (quantity > 0.0);
                same && (!self.book.hedge || side)
            })
        })
    }

    /// Code of the instrument whose table another one replaces.
    pub(crate) fn base_of(&self, instrument: u32) -> u32 {
        self.book.base_of[instrument as usize]
    }

    pub(crate) fn instrument(&self, position: &Position) -> Option<&'a Instrument> {
        let given = self.policies.get(position.policy as usize)?;
        let place = given.places.get(position.instrument as usize).copied().flatten()?;
        given.policy.instruments.get(place)
    }

    /// Mark price; NaN: missing.
    pub(crate) fn mark(&self, position: &Position) -> f64 {
        self.policies[position.policy as usize].marks[position.instrument as usize]
    }

    /// Place of a position's instrument under its policy, in columns by policy and instrument.
    fn listed(&self, position: &Position) -> usize {
        position.policy as usize * self.book.base_of.len() + position.instrument as usize
    }

    /// Code of the currency that a position settles in, if it is known.
    fn settlement(&self, position: &Position) -> Option<u32> {
        Some(self.book.settlement[self.listed(position)]).filter(|&code| code != 0)
    }

    /// Whether a position is a cross one in a contract that may be held on isolated margin alone.
    pub(crate) fn must_be_isolated(&self, position: &Position) -> bool {
        position.account.is_some() && self.book.isolated_only[self.listed(position)]
    }

    /// Whether an account is one wallet whose legs settle in another currency than a position.
    pub(crate) fn settles_apart(&self, account: u32, position: &Position) -> bool {
        let Some(own) = self.settlement(position).filter(|_| !self.has_balances(account)) else { return false };
        let legs = self.legs(account).filter_map(|row| self.position(row));
        legs.filter_map(|leg| self.settlement(&leg)).any(|code| code != own)
    }

    pub(crate) fn has_balances(&self, account: u32) -> bool {
        !self.book.members.balances.of(account as usize).is_empty()
    }

    /// Policy that the balances of an account name, if they do.
    pub(crate) fn policy_of_balances(&self, account: u32) -> Option<u32> {
        let row = self.book.members.balances.of(account as usize).first()?;
        self.book.balance_policy.map(|policy| policy[*row as usize])
    }

    pub(crate) fn wallet(&self, account: u32) -> f64 {
        self.wallets.get(account).unwrap_or(self.book.columns.wallet_balance[account as usize])
    }

    /// What the book says of an account before it is judged.
    pub(crate) fn known_status(&self, account: u32) -> AccountStatus {
        self.book.columns.account_status.map_or(AccountStatus::Ok, |known| known[account as usize])
    }

    /// Pays an amount into an account: into its wallet, or in the currency that a position settles in where it has balances.
    pub(crate) fn credit(&mut self, account: u32, position: &Position, amount: f64) {
        if !self.has_balances(account) {
            self.wallets.set(account, self.wallet(account) + amount);
            return;
        }
        // Without an asset to settle in the leg fails, and its account with it.
        let settlement = self.instrument(position).and_then(|instrument| instrument.settlement);
        let places = self.policies[position.policy as usize].places_of_assets;
        if let Some(asset) = settlement.and_then(|place| places.iter().position(|&known| known == Some(place))) {
            self.receive(account, asset as u32, amount);
        }
    }

    pub(crate) fn deposit(&mut self, account: u32, amount: f64) {
        self.wallets.set(account, self.wallet(account) + amount);
    }

    /// Pays units of an asset into an account with balances.
    pub(crate) fn receive(&mut self, account: u32, asset: u32, amount: f64) {
        let known = self.balances.get((account, asset));
        let own = known.or_else(|| self.book.balance_of(account, asset));
        if own.is_none() {
            self.received.push((account, asset));
        }
        self.balances.set((account, asset), own.unwrap_or(0.0) + amount);
    }

    /// Balance at a row of the book's balances.
    pub(crate) fn balance(&self, account: u32, asset: u32, given: f64) -> f64 {
        self.balances.get((account, asset)).unwrap_or(given)
    }

    /// Assets that an account has received without a row of them, with their balances.
    pub(crate) fn received(&self, account: u32) -> impl Iterator<Item = (u32, f64)> {
        let own = self.received.iter().filter(move |(owner, _)| *owner == account);
        own.map(move |&(_, asset)| (asset, self.balance(account, asset, 0.0)))
    }
}
