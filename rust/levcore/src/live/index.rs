//! The trigger index: who is liquidatable, kept up to date tick by tick.

use crate::book::columns::Book;
use crate::codes::measures::AccountMeasure;
use crate::codes::state::State;
use crate::error::{Error, Result};
use crate::live::armed::Armed;
use crate::live::bounds::{Bounds, Judgement};
use crate::live::event::Figures;
use crate::live::holders::Holders;
use crate::live::lines::Lines;
use crate::live::market::Market;
use crate::live::subjects::{Account, ISOLATED, Subject, Subjects};
use crate::live::verdicts::{AccountVerdicts, RowVerdict};
use crate::live::watch::Watch;
use crate::memory::filled;

/// Legs that are examined at a time when a whole book is armed.
const LEGS_AT_ONCE: usize = 4_096;

/// A verdict that has changed: from one [`Judgement`] to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// Whose.
    pub subject: Subject,
    /// Code of the state before.
    pub before: u8,
    /// Code of the state now, as a full evaluation gives it.
    pub state: u8,
    /// Liquidation price of an isolated position; NaN of an account.
    pub liquidation_price: f64,
}

/// Who is liquidatable in a book whose prices move.
///
/// Each isolated position is armed at its liquidation price. Each leg of an account has a share of the account's surplus and is armed at the
/// price where its own part has used that up: before one of the legs is there the account cannot be liquidated. Who is reached is evaluated
/// by the formulas of the whole book, reported if the verdict on it is another one, and armed anew.
///
/// The book is the caller's: who changes it says so by [`TriggerIndex::renew`].
#[derive(Debug)]
pub struct TriggerIndex {
    pub(super) subjects: Subjects,
    pub(super) holders: Holders,
    /// Of the rows of each instrument, then of the holders of each asset.
    pub(super) watches: Vec<Watch>,
    pub(super) armed: Armed,
    pub(super) armed_holders: Armed,
    instruments: usize,
    /// State of each isolated row; of legs without meaning.
    pub(super) state_of_row: Vec<u8>,
    pub(super) state_of_account: Vec<u8>,
    pub(super) lines: Lines,
    pub(super) reached: Reached,
    /// Instruments whose nearest bounds have changed since it began to look.
    pub(super) renewed: Vec<u32>,
    /// How many positions and accounts have been evaluated for their bounds, and how many accounts followed along their lines.
    examined: u64,
    pub(super) followed: u64,
}

/// Who is to be looked at; the memory is used again.
#[derive(Debug, Default)]
pub(super) struct Reached {
    rows: Vec<u32>,
    /// Places of accounts, beside those of the rows.
    places: Vec<u32>,
    isolated: Vec<u32>,
    pub accounts: Vec<u32>,
    verdicts: Vec<RowVerdict>,
    of_accounts: AccountVerdicts,
    /// Of the isolated ones, then of the accounts.
    figures: Vec<Figures>,
}

impl TriggerIndex {
    /// Arms every subject of a book at the marks of a market.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] for a book of another layout than the market's, [`Error::Memory`].
    pub fn new(book: &Book<'_>, market: &mut Market<'_>) -> Result<Self> {
        book.check()?;
        let layout = market.layout();
        if layout.rows != book.rows() {
            return Err(Error::Length { argument: "layout", expected: book.rows(), found: layout.rows });
        }
        let subjects = Subjects::of(layout)?;
        if let Some(account) = subjects.accounts.iter().find(|each| each.code as usize >= book.wallet_balance.len()) {
            let (expected, found) = (account.code as usize + 1, book.wallet_balance.len());
            return Err(Error::Length { argument: "wallet_balance", expected, found });
        }
        let rows = book.rows();
        let holders = Holders::of_book(book, &subjects, market.layout(), market.part());
        let mut index = Self {
            watches: Vec::new(),
            armed: Armed::of(rows)?,
            armed_holders: Armed::of(holders.len())?,
            holders,
            instruments: market.instruments(),
            state_of_row: filled(State::Incomplete as u8, rows)?,
            state_of_account: filled(State::Incomplete as u8, subjects.accounts.len())?,
            reached: Reached::default(),
            examined: 0,
            followed: 0,
            renewed: Vec::new(),
            lines: Lines::default(),
            subjects,
        };
        index.lines.grow(rows, index.subjects.accounts.len());
        let mut armed: Vec<Vec<_>> = vec![Vec::new(); market.codes()];
        let mut reached = std::mem::take(&mut index.reached);
        index.list_everybody(&mut reached);
        market.examine_rows(book, &reached.isolated, &mut reached.verdicts);
        for (&row, verdict) in reached.isolated.iter().zip(&reached.verdicts) {
            index.state_of_row[row as usize] = verdict.state;
            armed[book.instrument[row as usize] as usize].push((row, verdict.bounds));
        }
        for accounts in index.batches(&reached.accounts) {
            index.examine(book, market, accounts, &mut reached.rows, &mut reached.of_accounts);
            let mut bounds = reached.of_accounts.bounds.iter();
            index.take_lines(accounts, &reached.of_accounts);
            let mut of_assets = reached.of_accounts.of_assets.iter();
            for (&account, verdict) in accounts.iter().zip(&reached.of_accounts.verdicts) {
                index.state_of_account[account as usize] = verdict.state;
                for (&row, &bounds) in index.subjects.legs_of(account).iter().zip(&mut bounds) {
                    armed[book.instrument[row as usize] as usize].push((row, bounds));
                }
                for (&holder, &bounds) in index.holders_of(account).iter().zip(&mut of_assets) {
                    armed[index.code_of(holder) as usize].push((holder, bounds));
                }
            }
        }
        let Self { armed: of_rows, armed_holders, instruments, .. } = &mut index;
        let watch = |(code, list): (usize, &Vec<_>)| {
            let armed = if code < *instruments { &mut *of_rows } else { &mut *armed_holders };
            Watch::of(market.mark(code as u32), list, armed)
        };
        index.watches = armed.iter().enumerate().map(watch).collect();
        reached.rows.clear();
        index.reached = reached;
        Ok(index)
    }

    /// Prices that hold from now on, all at one instant: those whose verdict they change are added to `changes`, in the order of [`Subject`].
    ///
    /// Prices of an instrument that stands twice: the last one holds. Returns whether anybody was looked at.
    pub fn tick(
        &mut self,
        book: &Book<'_>,
        market: &mut Market<'_>,
        prices: &[(u32, f64)],
        changes: &mut Vec<Change>,
    ) -> bool {
        let mut any = false;
        self.renewed.clear();
        for &(code, price) in prices {
            market.remark(code, price);
            let Self { watches, armed, armed_holders, reached, holders, .. } = self;
            let watch = &mut watches[code as usize];
            if !watch.is_reached(price) {
                continue;
            }
            any = true;
            if (code as usize) < self.instruments {
                watch.take(price, armed, &mut reached.rows);
            } else {
                let first = reached.places.len();
                watch.take(price, armed_holders, &mut reached.places);
                reached.places[first..].iter_mut().for_each(|holder| *holder = holders.account(*holder));
            }
        }
        if any {
            self.sort_reached();
            self.follow(market);
            self.look(book, market, changes);
        }
        any
    }

    /// Isolated rows, and places of accounts, that were looked at when anybody last was; each once, ascending.
    pub(super) fn looked_at(&self) -> (&[u32], &[u32]) {
        (&self.reached.isolated, &self.reached.accounts)
    }

    /// What was found then under the policy of this index, of the rows and of the accounts.
    pub(super) fn figures_found(&self) -> (&[Figures], &[Figures]) {
        self.reached.figures.split_at(self.reached.isolated.len())
    }

    /// Instruments whose nearest bounds have changed by then, but for those that ticked; some more than once.
    pub(super) fn renewed(&self) -> &[u32] {
        &self.renewed
    }

    /// How many accounts have been followed along their lines, without an evaluation, since the index was made.
    #[must_use]
    pub fn followed(&self) -> u64 {
        self.followed
    }

    /// How many positions and accounts have been evaluated for their bounds since the index was made.
    #[must_use]
    pub fn examined(&self) -> u64 {
        self.examined
    }

    /// Has the accounts at these places looked at, too, when [`TriggerIndex::renew`] is next called: their balances have changed.
    pub(super) fn reach(&mut self, accounts: &[u32]) {
        self.reached.places.extend_from_slice(accounts);
    }

    /// Holders of an account.
    pub(super) fn holders_of(&self, account: u32) -> &[u32] {
        self.holders.of_pooled(self.subjects.accounts[account as usize].pooled)
    }

    /// Code of the asset of a holder, behind those of the instruments.
    pub(super) fn code_of(&self, holder: u32) -> u32 {
        self.instruments as u32 + self.holders.asset(holder)
    }

    /// Accounts that hold the asset with this code; none of an instrument.
    pub(super) fn holding(&self, code: u32) -> &[u32] {
        (code as usize).checked_sub(self.instruments).map_or(&[], |asset| self.holders.accounts_of(asset))
    }

    /// Looks anew at the subjects of these rows, whose quantity, margin, wallet or funding the caller has changed.
    pub fn renew(&mut self, book: &Book<'_>, market: &mut Market<'_>, rows: &[u32], changes: &mut Vec<Change>) {
        self.renewed.clear();
        self.reached.rows.extend_from_slice(rows);
        self.sort_reached();
        self.look(book, market, changes);
    }

    /// Code of the state of the subject that a row belongs to, as a full evaluation gives it while the verdict stands.
    #[must_use]
    pub fn judgement_of_row(&self, row: u32) -> Judgement {
        let account = self.subjects.account_of_row[row as usize];
        let state =
            if account == ISOLATED { self.state_of_row[row as usize] } else { self.state_of_account[account as usize] };
        Judgement::of(state)
    }

    /// Everybody who is liquidatable, in the order of [`Subject`].
    #[must_use]
    pub fn liquidatable(&self) -> Vec<Subject> {
        let rows = (0_u32..).zip(&self.subjects.account_of_row).filter(|&(row, &account)| {
            account == ISOLATED && Judgement::of(self.state_of_row[row as usize]) == Judgement::Liquidatable
        });
        let accounts = self.subjects.accounts.iter().zip(&self.state_of_account);
        let accounts = accounts.filter(|&(_, &state)| Judgement::of(state) == Judgement::Liquidatable);
        let mut found: Vec<Subject> = rows.map(|(row, _)| Subject::Row(row)).collect();
        found.extend(accounts.map(|(account, _)| Subject::Account(account.code)));
        found.sort_unstable();
        found
    }

    /// Everybody who is liquidatable as changes from not being so: for who begins with them.
    pub(crate) fn found_liquidatable(&self, book: &Book<'_>, market: &mut Market<'_>) -> Vec<Change> {
        let subjects = self.liquidatable();
        let rows: Vec<u32> = subjects
            .iter()
            .filter_map(|subject| match subject {
                Subject::Row(row) => Some(*row),
                Subject::Account(_) => None,
            })
            .collect();
        let mut verdicts = Vec::new();
        market.examine_rows(book, &rows, &mut verdicts);
        let mut next = verdicts.iter();
        let changes = subjects.into_iter().map(|subject| {
            let verdict = if matches!(subject, Subject::Row(_)) { next.next() } else { None };
            let liquidation_price = verdict.map_or(f64::NAN, |verdict| verdict.liquidation_price);
            let state = State::Liquidation as u8;
            Change { subject, before: State::Healthy as u8, state, liquidation_price }
        });
        changes.collect()
    }

    /// Equity, maintenance margin and margin ratio of the subject of each row, as evaluated now.
    pub(crate) fn standings(&self, book: &Book<'_>, market: &mut Market<'_>, rows: &[u32]) -> Vec<[f64; 3]> {
        let mut found = vec![[f64::NAN; 3]; rows.len()];
        let (mut isolated, mut verdicts) = (Vec::new(), Vec::new());
        isolated.extend(rows.iter().copied().filter(|&row| self.subjects.account_of_row[row as usize] == ISOLATED));
        market.examine_rows(book, &isolated, &mut verdicts);
        let mut next = verdicts.iter();
        let (mut legs, mut of_account) = (Vec::new(), AccountVerdicts::only_verdicts());
        for (place, &row) in found.iter_mut().zip(rows) {
            match self.subjects.account_of_row[row as usize] {
                ISOLATED => {
                    let of = |verdict: &RowVerdict| [verdict.equity, verdict.maintenance_margin, verdict.margin_ratio];
                    *place = next.next().map_or(*place, of);
                }
                account => {
                    self.examine(book, market, &[account], &mut legs, &mut of_account);
                    let measures = of_account.verdicts[0].measures;
                    let asked =
                        [AccountMeasure::Equity, AccountMeasure::MaintenanceMargin, AccountMeasure::MarginRatio];
                    *place = asked.map(|measure| measures[measure as usize]);
                }
            }
        }
        found
    }

    fn list_everybody(&self, reached: &mut Reached) {
        let rows = (0_u32..).zip(&self.subjects.account_of_row);
        reached.isolated.extend(rows.filter(|&(_, &account)| account == ISOLATED).map(|(row, _)| row));
        reached.accounts.extend(0..self.subjects.accounts.len() as u32);
    }

    /// Accounts in runs of so many legs that they stay in the cache.
    pub(super) fn batches<'b>(&self, accounts: &'b [u32]) -> Vec<&'b [u32]> {
        let (mut batches, mut rest, mut legs, mut count) = (Vec::new(), accounts, 0, 0);
        for &account in accounts {
            legs += self.subjects.accounts[account as usize].legs.len().max(1);
            count += 1;
            if legs >= LEGS_AT_ONCE {
                let (batch, others) = rest.split_at(count);
                batches.push(batch);
                (rest, legs, count) = (others, 0, 0);
            }
        }
        if !rest.is_empty() {
            batches.push(rest);
        }
        batches
    }

    pub(super) fn examine(
        &self,
        book: &Book<'_>,
        market: &mut Market<'_>,
        accounts: &[u32],
        rows: &mut Vec<u32>,
        found: &mut AccountVerdicts,
    ) {
        rows.clear();
        accounts.iter().for_each(|&account| rows.extend_from_slice(self.subjects.legs_of(account)));
        let of: Vec<&Account> = accounts.iter().map(|&account| &self.subjects.accounts[account as usize]).collect();
        market.examine_accounts(book, &of, rows, &self.holders, found);
    }

    /// Lists the subjects of the rows and places that were reached, each once.
    fn sort_reached(&mut self) {
        let Reached { rows, places, isolated, accounts, .. } = &mut self.reached;
        isolated.clear();
        accounts.clear();
        accounts.append(places);
        for &row in &*rows {
            match self.subjects.account_of_row[row as usize] {
                ISOLATED => isolated.push(row),
                account => accounts.push(account),
            }
        }
        for list in [isolated, accounts] {
            list.sort_unstable();
            list.dedup();
        }
    }

    /// Evaluates the subjects that were reached, and arms them anew.
    fn look(&mut self, book: &Book<'_>, market: &mut Market<'_>, changes: &mut Vec<Change>) {
        let mut reached = std::mem::take(&mut self.reached);
        let first = changes.len();
        self.examined += (reached.isolated.len() + reached.accounts.len()) as u64;
        reached.figures.clear();
        if !reached.isolated.is_empty() {
            market.examine_rows(book, &reached.isolated, &mut reached.verdicts);
            for (&row, verdict) in reached.isolated.iter().zip(&reached.verdicts) {
                let before = std::mem::replace(&mut self.state_of_row[row as usize], verdict.state);
                note(changes, Subject::Row(row), before, verdict.state, verdict.liquidation_price);
                reached.figures.push(Figures::from(verdict));
                self.arm(book, market, row, verdict.bounds);
            }
        }
        let accounts = std::mem::take(&mut reached.accounts);
        for accounts in self.batches(&accounts) {
            self.examine(book, market, accounts, &mut reached.rows, &mut reached.of_accounts);
            reached.figures.extend(reached.of_accounts.verdicts.iter().map(Figures::from));
            self.take_verdicts(book, market, accounts, &reached.of_accounts, changes);
        }
        reached.accounts = accounts;
        reached.rows.clear();
        self.reached = reached;
        changes[first..].sort_unstable_by_key(|change| change.subject);
    }

    fn take_verdicts(
        &mut self,
        book: &Book<'_>,
        market: &Market<'_>,
        accounts: &[u32],
        found: &AccountVerdicts,
        changes: &mut Vec<Change>,
    ) {
        self.take_lines(accounts, found);
        let (mut bounds, mut of_assets) = (found.bounds.iter(), found.of_assets.iter());
        for (&account, verdict) in accounts.iter().zip(&found.verdicts) {
            let before = std::mem::replace(&mut self.state_of_account[account as usize], verdict.state);
            let Account { code, legs, pooled } = self.subjects.accounts[account as usize].clone();
            note(changes, Subject::Account(code), before, verdict.state, f64::NAN);
            for (leg, &bounds) in legs.zip(&mut bounds) {
                self.arm(book, market, self.subjects.legs[leg], bounds);
            }
            for &holder in self.holders.of_pooled(pooled) {
                let (code, bounds) = (self.code_of(holder), of_assets.next().copied().unwrap_or(Bounds::NONE));
                if self.watches[code as usize].arm(holder, bounds, market.mark(code), &mut self.armed_holders) {
                    self.renewed.push(code);
                }
            }
        }
    }

    fn arm(&mut self, book: &Book<'_>, market: &Market<'_>, row: u32, bounds: Bounds) {
        let instrument = book.instrument[row as usize];
        if self.watches[instrument as usize].arm(row, bounds, market.mark(instrument), &mut self.armed) {
            self.renewed.push(instrument);
        }
    }
}

fn note(changes: &mut Vec<Change>, subject: Subject, before: u8, state: u8, liquidation_price: f64) {
    if Judgement::of(before) != Judgement::of(state) {
        changes.push(Change { subject, before, state, liquidation_price });
    }
}
