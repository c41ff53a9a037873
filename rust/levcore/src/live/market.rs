//! A policy at marks that move, and the evaluation of some rows or accounts there: the formulas of a whole book, called for a few.

use crate::book::columns::Book;
use crate::book::layout::Layout;
use crate::error::{Error, Result};
use crate::formulas::contract::Contract;
use crate::job::context::{Job, PolicyAtMarks, PolicyPart};
use crate::job::outputs::Outputs;
use crate::live::examine::RowWork;
use crate::live::examine_accounts::AccountWork;
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
    /// Latest price of each instrument, and those whose constants do not hold it yet: a tick that nobody looks at costs no division.
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
    /// [`Error::Length`] for marks that do not fit, [`Error::Domain`] for a book with several policies or with balances in several assets.
    pub fn new(given: &PolicyAtMarks<'a>, layout: &'a Layout, set: InstructionSet) -> Result<Self> {
        if given.marks.len() != given.places.len() {
            return Err(Error::Length { argument: "marks", expected: given.places.len(), found: given.marks.len() });
        }
        if layout.policies != 1 {
            let found = layout.policies as f64;
            return Err(Error::Domain { argument: "policy", expected: "one policy for all rows", found });
        }
        if !layout.pooled.balances.is_empty() {
            let found = layout.pooled.balances.len() as f64;
            return Err(Error::Domain { argument: "balances", expected: "accounts with one wallet each", found });
        }
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
            latest: given.marks.to_vec(),
            moved: Vec::new(),
            has_moved: vec![false; given.marks.len()],
            steepest,
        })
    }

    /// Moves the mark of an instrument.
    #[inline]
    pub fn remark(&mut self, instrument: u32, mark: f64) {
        let place = instrument as usize;
        self.latest[place] = mark;
        if !std::mem::replace(&mut self.has_moved[place], true) {
            self.moved.push(instrument);
        }
    }

    /// Brings the constants of the instruments that have moved up to their marks.
    fn settle_marks(&mut self) {
        for instrument in self.moved.drain(..) {
            self.has_moved[instrument as usize] = false;
            self.part.instruments.remark(instrument as usize, self.latest[instrument as usize]);
        }
    }

    /// The instruments at their marks.
    pub(crate) fn marked(&mut self) -> &[MarkedInstrument<'a>] {
        self.settle_marks();
        &self.part.instruments.list
    }

    /// Mark of an instrument; NaN where there is none.
    #[must_use]
    pub fn mark(&self, instrument: u32) -> f64 {
        self.latest[instrument as usize]
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

    /// Evaluates accounts; their bounds follow leg by leg.
    pub(crate) fn examine_accounts(
        &mut self,
        book: &Book<'_>,
        accounts: &[&Account],
        rows: &[u32],
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
