//! The rules that hold for every instrument of a policy, each a number or a word of a closed vocabulary.

use crate::codes::vocabulary::vocabulary;
use crate::error::{Error, Result};

vocabulary! {
    /// Value of the position at which a requirement is taken.
    pub enum Basis: u8 {
        Price = 0, "price", "at the price in question: the requirement moves along the price path";
        Entry = 1, "entry", "at the entry price: frozen when the position was opened";
        Mark = 2, "mark", "at the current mark: frozen until the next mark";
        Bankruptcy = 3, "bankruptcy", "at the bankruptcy price: frozen until margin, leverage or entry change";
    }
}

vocabulary! {
    /// Value on which the fee for closing the position is charged.
    pub enum FeeBasis: u8 {
        None = 0, "none", "the requirement holds no closing fee";
        Price = 1, "price", "the value at the price in question";
        Entry = 2, "entry", "the entry value";
        Bankruptcy = 3, "bankruptcy", "the value at the bankruptcy price";
        Mark = 4, "mark", "the value at the current mark: frozen until the next mark";
        EntryAndMargin = 5, "entry_and_margin", "the entry value and the margin that was put up, together";
        Contract = 6, "contract", "the number of contracts: the fee is an amount a contract";
    }
}

impl FeeBasis {
    /// Whether the fee is an amount that does not move with the price.
    pub(crate) const fn is_fixed(self) -> bool {
        !matches!(self, Self::None | Self::Price)
    }

    /// Whether a cross position needs its leverage for it.
    pub(crate) fn needs_leverage(self) -> bool {
        matches!(self, Self::Bankruptcy | Self::EntryAndMargin)
    }
}

vocabulary! {
    /// What a long and a short leg of one instrument in one cross account ask for together.
    pub enum HedgeRule: u8 {
        Sum = 0, "sum", "both";
        LargerLeg = 1, "larger_leg", "the larger of the two";
        LargerSide = 2, "larger_side", "the larger of all longs and all shorts on one underlying";
        Covered = 3, "covered", "the uncovered quantity in full and the covered one at the covered share";
    }
}

impl HedgeRule {
    /// Whether legs are charged in groups, of which the larger side counts.
    pub(crate) fn is_by_groups(self) -> bool {
        matches!(self, Self::LargerLeg | Self::LargerSide)
    }
}

/// A threshold on the margin ratio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// The ratio; `None` if no source gives one.
    pub level: Option<f64>,
    /// Whether the threshold itself already counts.
    pub inclusive: bool,
}

/// Rules that hold for every instrument of a policy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Basis of the requirement of isolated positions.
    pub requirement_isolated: Basis,
    /// Basis of the requirement of cross positions.
    pub requirement_cross: Basis,
    /// Whether the initial margin of isolated positions is taken at the entry value (else at the mark).
    pub initial_at_entry_isolated: bool,
    /// The same of cross positions.
    pub initial_at_entry_cross: bool,
    /// Whether the return on equity is taken on the value at the mark over the leverage (else on the entry value over it).
    pub return_at_mark: bool,
    /// Whether the initial margin follows a table of the instrument (else the leverage of the position).
    pub initial_from_table: bool,
    /// What the closing fee of isolated positions is charged on.
    pub fee_basis_isolated: FeeBasis,
    /// The same of cross positions.
    pub fee_basis_cross: FeeBasis,
    /// Closing fee as a fraction of that value, or as an amount a contract.
    pub fee_rate: f64,
    /// Whether the reported initial margin holds the closing fee.
    pub fee_in_initial: bool,
    /// Whether the initial margin then holds the fee at the value where the position's own initial margin ends, whatever the requirement
    /// holds.
    pub reserve_at_bankruptcy: bool,
    /// Whether the reported maintenance margin holds the closing fee (the requirement always does).
    pub fee_in_maintenance: bool,
    /// Whether the bankruptcy price leaves room for a closing fee at the value there; `None`: unknown, there is then no bankruptcy price.
    /// Of no meaning where there is no fee.
    pub fee_in_bankruptcy: Option<bool>,
    /// Warning level.
    pub warning: Threshold,
    /// Margin-call level.
    pub margin_call: Threshold,
    /// Liquidation level; usually 1.
    pub liquidation_level: f64,
    /// Whether the liquidation level itself liquidates.
    pub liquidation_inclusive: bool,
    /// How hedged legs are charged.
    pub hedge_rule: HedgeRule,
    /// The same of their initial margin.
    pub hedge_rule_initial: HedgeRule,
    /// Share of one leg's requirement on covered quantity.
    pub covered_share: f64,
    /// Whether a liability of an account with balances is a requirement against its assets; else it is taken off the equity.
    pub liabilities_as_requirement: bool,
    /// Whether margins of positions in accounts with balances turn into the account's currency at the liability weight of their settlement
    /// currency; else at its price.
    pub margins_at_liability_weight: bool,
}

/// Levels whose reciprocals, and the numbers next to them, are ordinary ones.
const LEVELS: std::ops::RangeInclusive<f64> = 1e-9..=1e9;

impl Rules {
    /// Rules without fees, whose requirement moves with the price and which liquidate at a ratio of 1: those to begin with, as in
    /// `Rules { fee_rate: 0.0005, fee_basis_isolated: FeeBasis::Price, ..Rules::plain() }`.
    #[must_use]
    pub fn plain() -> Self {
        let unknown = Threshold { level: None, inclusive: true };
        Self {
            requirement_isolated: Basis::Price,
            requirement_cross: Basis::Price,
            initial_at_entry_isolated: false,
            initial_at_entry_cross: false,
            return_at_mark: false,
            initial_from_table: false,
            fee_basis_isolated: FeeBasis::None,
            fee_basis_cross: FeeBasis::None,
            fee_rate: 0.0,
            fee_in_initial: false,
            reserve_at_bankruptcy: false,
            fee_in_maintenance: false,
            fee_in_bankruptcy: Some(false),
            warning: unknown,
            margin_call: unknown,
            liquidation_level: 1.0,
            liquidation_inclusive: true,
            hedge_rule: HedgeRule::Sum,
            hedge_rule_initial: HedgeRule::Sum,
            covered_share: 0.0,
            liabilities_as_requirement: false,
            margins_at_liability_weight: false,
        }
    }

    /// Refuses numbers outside of their domains.
    pub(crate) fn check(&self) -> Result<()> {
        if !(0.0..=1.0).contains(&self.covered_share) {
            return Err(Error::Domain {
                argument: "covered_share",
                expected: "a share in [0, 1]",
                found: self.covered_share,
            });
        }
        self.check_fee()?;
        self.check_hedge()?;
        let levels = [
            ("warning_level", self.warning.level),
            ("margin_call_level", self.margin_call.level),
            ("liquidation_level", Some(self.liquidation_level)),
        ];
        for (argument, level) in levels {
            if let Some(found) = level
                && !LEVELS.contains(&found)
            {
                return Err(Error::Domain { argument, expected: "a level in [1e-9, 1e9]", found });
            }
        }
        Ok(())
    }

    fn check_fee(&self) -> Result<()> {
        let bases = [self.fee_basis_isolated, self.fee_basis_cross];
        let an_amount = bases.contains(&FeeBasis::Contract);
        if an_amount && bases.iter().any(|&basis| basis != FeeBasis::Contract && basis != FeeBasis::None) {
            let expected = "one of amounts a contract or of fractions of a value, not of both";
            return Err(Error::Domain { argument: "closing_fee_basis", expected, found: self.fee_rate });
        }
        if an_amount && self.fee_in_bankruptcy == Some(true) {
            let expected = "a fraction of the value there, which an amount a contract is not";
            return Err(Error::Domain { argument: "bankruptcy_includes_closing_fee", expected, found: self.fee_rate });
        }
        let valid = if an_amount { 0.0..f64::INFINITY } else { 0.0..1.0 };
        if !valid.contains(&self.fee_rate) {
            let expected = if an_amount { "a finite amount, not negative" } else { "a fraction in [0, 1)" };
            return Err(Error::Domain { argument: "closing_fee_rate", expected, found: self.fee_rate });
        }
        let moving =
            [(self.requirement_isolated, self.fee_basis_isolated), (self.requirement_cross, self.fee_basis_cross)];
        // One table of lines serves both modes; its factors hold the fee that moves.
        if moving.iter().all(|(basis, _)| *basis == Basis::Price)
            && (moving[0].1 == FeeBasis::Price) != (moving[1].1 == FeeBasis::Price)
        {
            let expected = "fees that move in both margin modes or in none, where the requirement moves in both";
            return Err(Error::Domain { argument: "closing_fee_basis_cross", expected, found: self.fee_rate });
        }
        Ok(())
    }

    fn check_hedge(&self) -> Result<()> {
        let (rule, initial) = (self.hedge_rule, self.hedge_rule_initial);
        let larger = matches!(initial, HedgeRule::LargerLeg | HedgeRule::LargerSide);
        // Legs stand in one kind of group: that of the rule of either margin.
        if !(initial == rule || initial == HedgeRule::Sum || rule == HedgeRule::Sum && larger) {
            let expected = "the rule of the requirement, or the sum of both legs in one of the two";
            return Err(Error::Domain {
                argument: "hedge_requirement_initial",
                expected,
                found: f64::from(initial as u8),
            });
        }
        if rule == HedgeRule::Covered && self.requirement_cross == Basis::Bankruptcy {
            let expected = "another basis where legs cover each other";
            let found = f64::from(self.requirement_cross as u8);
            return Err(Error::Domain { argument: "requirement_basis_cross", expected, found });
        }
        Ok(())
    }

    /// The rule that says which legs stand in one group.
    pub(crate) fn grouping(&self) -> HedgeRule {
        if self.hedge_rule == HedgeRule::Sum { self.hedge_rule_initial } else { self.hedge_rule }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outside_of_their_domains_are_refused() {
        assert_eq!(Rules::plain().check(), Ok(()));
        let strange = [
            Rules { fee_rate: 1.0, ..Rules::plain() },
            Rules { fee_rate: f64::NAN, ..Rules::plain() },
            Rules { covered_share: 1.5, ..Rules::plain() },
            Rules { liquidation_level: 0.0, ..Rules::plain() },
            Rules { warning: Threshold { level: Some(f64::INFINITY), inclusive: true }, ..Rules::plain() },
        ];
        assert!(strange.iter().all(|rules| matches!(rules.check(), Err(Error::Domain { .. }))));
    }
}
