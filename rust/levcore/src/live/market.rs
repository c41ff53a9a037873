//! A policy at marks that move, and the evaluation of some rows or accounts there: the formulas of a whole book, called for a few.

use crate::book::columns::Book;
use crate::book::layout::Layout;
use crate::error::{Error, Result};
use crate::formulas::contract::Contract;
use crate::job::context::{Job, PolicyAtMarks, PolicyPart};
use crate::job::outputs::Outputs;
use crate::live::examine::RowWork;
use crate::live::examine_accounts::AccountWork;
use crate::live::holders::Holders;
use crate::live::subjects::Account;
use crate::live::verdicts::{AccountVerdicts, LegMemory, RowVerdict};
use crate::machine::instruction_set::InstructionSet;
use crate::rules::parameters::{Basis, FeeBasis};
use crate::rules::policy::Policy;
use crate::rules::table::{Kind, Table};
use crate::tiles::marked::MarkedInstrument;
use crate::tiles::pass::Stage;

/// One policy with the instruments of a book at their marks, which move one by one.
pub struct Market<'a> {
    part: PolicyPart<'a>,
    layout: &'a Layout,
    set: InstructionSet,
    stage: Box<Stage>,
    legs: LegMemory,
    /// Latest price of each instrument, then of each asset of the policy, and those that the constants do not hold yet: a tick that nobody
    /// looks at costs no division.
    latest: Vec<f64>,
    moved: Vec<u32>,
    has_moved: Vec<bool>,
    /// By instrument: how much requirement a unit of value asks for at most, of long and of short positions.
    steepest: Vec<[f64; 2]>,
}

impl<'a> Market<'a> {
    /// A policy at its first marks, for books of this layout.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] for marks that do not fit, or prices of assets where there are balances; [`Error::Domain`] for a book with several
    /// policies.
    pub fn new(given: &PolicyAtMarks<'a>, layout: &'a Layout, set: InstructionSet) -> Result<Self> {
        if given.marks.len() != given.places.len() {
            return Err(Error::Length { argument: "marks", expected: given.places.len(), found: given.marks.len() });
        }
        if layout.policies != 1 {
            let found = layout.policies as f64;
            return Err(Error::Domain { argument: "policy", expected: "one policy for all rows", found });
        }
        let (expected, found) = (given.policy.assets.len(), given.asset_prices.len());
        if found != expected && !(found == 0 && layout.pooled.balances.is_empty()) {
            return Err(Error::Length { argument: "asset_prices", expected, found });
        }
        let latest = [given.marks, given.asset_prices].concat();
        let part = PolicyPart::new(given);
        let steepest = part
            .instruments
            .list
            .iter()
            .map(|marked| [1.0, -1.0].map(|side| steepest(given.policy, marked.instrument.table(side))));
        let steepest = steepest.collect();
        Ok(Self {
            part,
            layout,
            set,
            stage: Box::new(Stage::new()),
            legs: LegMemory::default(),
            moved: Vec::new(),
            has_moved: vec![false; latest.len()],
            latest,
            steepest,
        })
    }

    /// Moves the mark of an instrument, or the price of an asset, whose codes follow those of the instruments.
    #[inline]
    pub fn remark(&mut self, code: u32, price: f64) {
        let place = code as usize;
        self.latest[place] = price;
        if !std::mem::replace(&mut self.has_moved[place], true) {
            self.moved.push(code);
        }
    }

    /// Brings the constants of what has moved up to its price.
    fn settle_marks(&mut self) {
        let instruments = self.instruments();
        for code in self.moved.drain(..) {
            let place = code as usize;
            self.has_moved[place] = false;
            if place < instruments {
                self.part.instruments.remark(place, self.latest[place]);
            } else {
                self.part.asset_prices.to_mut()[place - instruments] = self.latest[place];
            }
        }
    }

    /// The instruments at their marks.
    pub(crate) fn marked(&mut self) -> &[MarkedInstrument<'a>] {
        self.settle_marks();
        &self.part.instruments.list
    }

    /// Mark of an instrument, or price of an asset, by its code; NaN where there is none.
    #[must_use]
    pub fn mark(&self, code: u32) -> f64 {
        self.latest[code as usize]
    }

    /// Number of codes: of instruments, then of assets of the policy.
    #[must_use]
    pub fn codes(&self) -> usize {
        self.latest.len()
    }

    /// Its policy at the marks.
    pub(crate) fn part(&self) -> &PolicyPart<'a> {
        &self.part
    }

    /// Coordinate of a price of an instrument.
    #[must_use]
    pub fn coordinate(&self, instrument: u32, price: f64) -> f64 {
        self.contract(instrument).coordinate(price)
    }

    /// Contract of an instrument.
    #[must_use]
    pub fn contract(&self, instrument: u32) -> &Contract {
        &self.part.instruments.list[instrument as usize].instrument.contract
    }

    /// Layout of its books.
    pub(crate) fn layout(&self) -> &'a Layout {
        self.layout
    }

    /// Number of instruments.
    #[must_use]
    pub fn instruments(&self) -> usize {
        self.part.instruments.list.len()
    }

    /// Evaluates isolated positions, in the order of `rows`.
    pub fn examine_rows(&mut self, book: &Book<'_>, rows: &[u32], found: &mut Vec<RowVerdict>) {
        found.clear();
        self.settle_marks();
        let outputs = Outputs::none();
        let job = Job::of_rows(book, self.layout, &outputs);
        self.set.run(RowWork { job: &job, part: &self.part, stage: &mut self.stage, rows, found });
    }

    /// Evaluates accounts; their bounds follow leg by leg, and asset by asset.
    pub(crate) fn examine_accounts(
        &mut self,
        book: &Book<'_>,
        accounts: &[&Account],
        rows: &[u32],
        holders: &Holders,
        found: &mut AccountVerdicts,
    ) {
        found.clear();
        self.settle_marks();
        self.legs.resize(rows);
        let outputs = Outputs::none();
        let job = Job::of_rows(book, self.layout, &outputs);
        let fallback = !solves_legs(self.part.policy);
        let work = AccountWork {
            job: &job,
            part: &self.part,
            stage: &mut self.stage,
            legs: &mut self.legs,
            accounts,
            holders,
            steepest: &self.steepest,
            fallback,
            found,
        };
        self.set.run(work);
    }
}

/// Whether the closed form of a cross leg moves its requirement as its price does: not where a part of it is taken at the mark, and so
/// moves from mark to mark, while the form holds it still; nor where the tables hold the fee of isolated positions and it is another.
fn solves_legs(policy: &Policy) -> bool {
    let (rules, fee) = (&policy.rules, policy.cross_fees.price_fee);
    let own_fee = rules.requirement_isolated != Basis::Price || policy.isolated_fees.price_fee == fee;
    match rules.requirement_cross {
        Basis::Mark => false,
        Basis::Price => policy.cross_fees.basis != FeeBasis::Mark && own_fee,
        Basis::Entry | Basis::Bankruptcy => policy.cross_fees.basis != FeeBasis::Mark,
    }
}

/// The most that the requirement which triggers liquidation rises by for a unit of value.
fn steepest(policy: &Policy, table: &Table) -> f64 {
    let rate = match &table.kind {
        Kind::Marginal(place) | Kind::Flat(_, place) => {
            policy.tables.rates(*place).fold(0.0, |most, rate| if rate > most { rate } else { most })
        }
        Kind::Growing(_) | Kind::Unit(_) => f64::INFINITY,
    };
    (rate + policy.cross_fees.rate) * policy.trigger
}
