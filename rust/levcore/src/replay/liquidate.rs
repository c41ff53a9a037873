//! Who is liquidatable is closed step by step, until nobody is.

use crate::closing::steps::{MOST_STEPS, NextStep, Step};
use crate::closing::tiers_down::contracts_to_keep;
use crate::error::{Error, Result};
use crate::live::bounds::Judgement;
use crate::live::index::Change;
use crate::live::market::Market;
use crate::live::subjects::Subject;
use crate::replay::liquidations::Close;
use crate::replay::record::EventKind;
use crate::replay::rules::LadderKey;
use crate::replay::run::Replay;

/// Who is being liquidated, with the trigger of an isolated position.
type InLiquidation = (Subject, f64);

/// What a step is about to close of a subject, and why.
struct Extent {
    number: u32,
    /// Everything, whatever the rule says.
    all: bool,
    /// Whether the next step of a share counts as a further one.
    further: bool,
}

impl Replay {
    /// All of a row, at the mark.
    pub(crate) fn whole(&self, row: u32) -> Close {
        Close { row, quantity: self.book.quantity(row), trigger: f64::NAN, taken_over: false }
    }

    /// Closes who is liquidatable, then whom that makes so, until nobody is.
    ///
    /// # Errors
    ///
    /// [`Error::NotJudged`] for a position that cannot be judged at these prices.
    pub(crate) fn liquidate(&mut self, market: &mut Market<'_>, changes: &mut Vec<Change>) -> Result<()> {
        let mut going: Vec<InLiquidation> = Vec::new();
        loop {
            self.refuse_unknown(market, changes)?;
            let new = changes.iter().filter(|change| Judgement::of(change.state) == Judgement::Liquidatable);
            going.extend(new.map(|change| (change.subject, change.liquidation_price)));
            changes.clear();
            // Stable: who was in liquidation before keeps its trigger.
            going.sort_by_key(|&(subject, _)| subject);
            going.dedup_by_key(|&mut (subject, _)| subject);
            let netted = self.netted(&going);
            if !netted.is_empty() {
                self.close(market, EventKind::Netting, &netted, changes)?;
                continue;
            }
            let mut rows = Vec::new();
            let mut goes_on = Vec::with_capacity(going.len());
            for &(subject, trigger) in &going {
                if self.step_of(market, subject, trigger, &mut rows) {
                    goes_on.push((subject, trigger));
                }
            }
            going = goes_on;
            if rows.is_empty() {
                return Ok(());
            }
            rows.sort_by_key(|close| close.row);
            self.close(market, EventKind::Liquidation, &rows, changes)?;
        }
    }

    /// What is not known is neither liquidated nor spared.
    fn refuse_unknown(&self, market: &Market<'_>, changes: &[Change]) -> Result<()> {
        for change in changes.iter().filter(|change| Judgement::of(change.state) == Judgement::Unknown) {
            if let Some(&row) = self.open_rows(change.subject).first() {
                let mark = market.mark(self.book.instrument(row));
                return Err(Error::NotJudged { step: self.steps, row: row as usize, mark });
            }
        }
        Ok(())
    }

    fn open_rows(&self, subject: Subject) -> Vec<u32> {
        let rows = match subject {
            Subject::Row(ref row) => std::slice::from_ref(row),
            Subject::Account(code) => &self.book.legs_of_account[code as usize],
        };
        rows.iter().copied().filter(|&row| self.is_open(row)).collect()
    }

    /// Opposite legs of accounts that have had no step yet, as far as they cover each other; ascending.
    fn netted(&self, going: &[InLiquidation]) -> Vec<Close> {
        let mut rows = Vec::new();
        if !self.rules.steps.nets {
            return rows;
        }
        for &(subject, _) in going {
            let legs = self.open_rows(subject);
            let started = self.liquidations.steps.contains_key(&subject);
            if started || legs.len() < 2 || self.index.judgement_of_row(legs[0]) != Judgement::Liquidatable {
                continue;
            }
            for &row in &legs {
                let (code, quantity) = (self.book.instrument(row), self.book.quantity(row));
                let of_side = |side: f64, before: u32| {
                    let held = legs.iter().map(|&leg| (leg, self.book.instrument(leg), self.book.quantity(leg)));
                    let held = held.filter(|&(leg, of, held)| of == code && held * side > 0.0 && leg < before);
                    held.map(|(_, _, held)| held.abs()).sum::<f64>()
                };
                // The legs of a side in their order, as far as the other side covers them.
                let covered = of_side(-quantity, u32::MAX) - of_side(quantity, row);
                if covered > 0.0 {
                    let common = if covered < quantity.abs() { covered } else { quantity.abs() };
                    rows.push(Close { quantity: common.copysign(quantity), ..self.whole(row) });
                }
            }
        }
        rows.sort_by_key(|close| close.row);
        rows
    }

    /// Adds what the next step closes of a subject; whether there is one.
    fn step_of(&mut self, market: &mut Market<'_>, subject: Subject, trigger: f64, rows: &mut Vec<Close>) -> bool {
        let open = self.open_rows(subject);
        let Some(&first) = open.first() else { return false };
        let number = self.liquidations.steps.get(&subject).map_or(1, |steps| steps + 1);
        let liquidatable = self.index.judgement_of_row(first) == Judgement::Liquidatable;
        let rules = &self.rules.steps;
        if !liquidatable && (number == 1 || rules.exit_level.is_none()) {
            return false;
        }
        let [equity, required, ratio] = if rules.ask_for_standings() {
            self.index.standings(&self.book.resident.book(), market, &[first])[0]
        } else {
            [f64::NAN; 3]
        };
        if !liquidatable && !rules.exit_level.is_some_and(|level| ratio >= level) {
            return false;
        }
        let reaches = |level: Option<f64>| level.is_some_and(|level| required >= level * equity);
        let taken_over = reaches(rules.take_over_level);
        let all = equity <= 0.0 || number == MOST_STEPS || taken_over || reaches(rules.whole_level);
        let (now, cooldown) = (self.liquidations.now, rules.cooldown);
        let cooling = now - *self.liquidations.last(subject) < cooldown;
        let extent = Extent { number, all, further: cooling || number > 1 };
        for (row, quantity) in self.closed_of(market, subject, &open, &extent) {
            let signed = if quantity < self.book.quantity(row).abs() {
                quantity.copysign(self.book.quantity(row))
            } else {
                self.book.quantity(row)
            };
            rows.push(Close { row, quantity: signed, trigger, taken_over });
        }
        self.liquidations.steps.insert(subject, number);
        *self.liquidations.last(subject) = now;
        true
    }

    /// Contracts that a step closes of each open row of a subject.
    fn closed_of(&mut self, market: &Market<'_>, subject: Subject, open: &[u32], extent: &Extent) -> Vec<(u32, f64)> {
        let rules = &self.rules.steps;
        let rule = if matches!(subject, Subject::Row(_)) { rules.isolated } else { rules.cross };
        let next = rules.next;
        if rule.step == Step::LargestLoss && !extent.all {
            let worst = open
                .iter()
                .copied()
                .min_by(|&one, &other| self.profit(market, one).total_cmp(&self.profit(market, other)));
            return worst.map(|row| (row, self.book.quantity(row).abs())).into_iter().collect();
        }
        let share = rule.step == Step::Share;
        let all = extent.all || (share && extent.further && next == NextStep::Whole);
        let same = share && next == NextStep::Same && extent.number > 1 && !all;
        let mut closed = Vec::with_capacity(open.len());
        for &row in open {
            let held = self.book.quantity(row).abs();
            let quantity = if same {
                self.liquidations.first[row as usize].min(held)
            } else {
                let keep = if rule.step == Step::Tiers { self.keeps(market, row) } else { 0.0 };
                rule.quantity(held, self.value(market, row), keep, all)
            };
            if extent.number == 1 {
                self.liquidations.first[row as usize] = quantity;
            }
            if quantity > 0.0 {
                closed.push((row, quantity));
            }
        }
        closed
    }

    /// Contracts with which a row stands some tiers lower.
    fn keeps(&self, market: &Market<'_>, row: u32) -> f64 {
        let (code, quantity) = (self.book.instrument(row), self.book.quantity(row));
        let ladder = &self.rules.steps.ladders[code as usize][usize::from(quantity < 0.0)];
        let held = quantity.abs();
        let unit = match ladder.key {
            LadderKey::Quote => self.value(market, row) / held,
            LadderKey::Base => market.contract(code).contract_size,
            LadderKey::Contracts => 1.0,
        };
        contracts_to_keep(&ladder.floors, held * unit, held, self.rules.steps.tiers)
    }
}
