//! The closed tables of measures: what levcore computes for every position, account and balance, and for accounts over scenarios.

use std::ops::{Index, IndexMut};

use crate::codes::vocabulary::vocabulary;

vocabulary! {
    /// A measure of a position; the code is its place in the outputs.
    pub enum Measure: usize {
        Notional = 0, "notional" in "settlement currency", "Value of the position at the mark price: size times mark (linear, quanto) or size over mark (inverse); never negative.";
        UnrealizedPnl = 1, "unrealized_pnl" in "settlement currency", "Profit (positive) or loss since entry at the mark price, without funding and fees.";
        ReturnOnEquity = 2, "return_on_equity" in "fraction", "Unrealized PnL over the entry value divided by leverage; NaN without a leverage.";
        InitialMargin = 3, "initial_margin" in "settlement currency", "Margin needed to open: value over leverage at the mark or the entry price, as the policy says, with the closing fee where the policy includes it; NaN without a leverage.";
        MaintenanceMargin = 4, "maintenance_margin" in "settlement currency", "Margin that must be kept, by the tier that applies, with the closing fee where the policy reports it inside.";
        Equity = 5, "equity" in "settlement currency", "Isolated: margin plus accrued funding plus unrealized PnL. Cross: the equity of the account.";
        MarginRatio = 6, "margin_ratio" in "fraction", "Requirement (maintenance margin plus closing fee) over equity; rises with risk; infinite when no equity is left. Cross: of the account.";
        EffectiveLeverage = 7, "effective_leverage" in "multiple", "Notional of the position over its equity (cross: over the account's); infinite when no equity is left.";
        LiquidationPrice = 8, "liquidation_price" in "quote per base", "Mark price at which equity falls to the requirement of the tier that applies there, other legs of the account at their marks; NaN when no positive price liquidates.";
        BankruptcyPrice = 9, "bankruptcy_price" in "quote per base", "Mark price at which equity is zero, after the closing fee where the policy says so; NaN when no positive price does that.";
        DistanceToLiquidation = 10, "distance_to_liquidation" in "fraction of the mark", "Adverse move from the mark to the liquidation price over the mark; negative when past it, infinite when there is no such price.";
        LiquidationPriceLower = 11, "liquidation_price_lower" in "quote per base", "Mark price at or below which the position is liquidated: of a long position its liquidation price, of a short one NaN.";
        LiquidationPriceUpper = 12, "liquidation_price_upper" in "quote per base", "Mark price at or above which the position is liquidated: of a short position its liquidation price, of a long one NaN.";
    }
}

vocabulary! {
    /// A measure of a cross account; the code is its place in the outputs.
    pub enum AccountMeasure: usize {
        Equity = 0, "equity" in "currency of the account", "Wallet balance plus accrued funding and unrealized PnL of the cross legs; with balances what counts of each asset, less debts.";
        InitialMargin = 1, "initial_margin" in "currency of the account", "Sum over the cross legs and liabilities, of hedged legs as the policy charges them; NaN where a leg has none.";
        MaintenanceMargin = 2, "maintenance_margin" in "currency of the account", "Sum over the cross legs and liabilities, of hedged legs as the policy charges them.";
        FreeMargin = 3, "free_margin" in "currency of the account", "Equity less initial margin; negative: no new risk can be taken.";
        MarginRatio = 4, "margin_ratio" in "fraction", "Sum of the requirements over equity; rises with risk; infinite when no equity is left.";
        MarginCallAmount = 5, "margin_call_amount" in "currency of the account", "What must be paid in to get back to the margin-call level, or the liquidation level where the policy has no other; 0 if nothing.";
        CollateralValue = 6, "collateral_value" in "currency of the account", "The positive part of what counts.";
        Liabilities = 7, "liabilities" in "currency of the account", "The negative part of what counts and what is owed, as a positive number.";
        Surplus = 8, "surplus" in "currency of the account", "Equity less requirement over liquidation level: how much may be lost; negative: the account is liquidated.";
    }
}

vocabulary! {
    /// A measure of a balance; the code is its place in the outputs.
    pub enum BalanceMeasure: usize {
        Equity = 0, "equity" in "units of the asset", "Balance plus the profit of positions that settle in it, less what is owed unless liabilities count as a requirement.";
        MarketValue = 1, "market_value" in "currency of the account", "Equity at the asset's price.";
        CollateralValue = 2, "collateral_value" in "currency of the account", "What of it counts, by the policy's weights; negative for a negative equity.";
        MaintenanceMargin = 3, "maintenance_margin" in "currency of the account", "Maintenance margin that the liability asks for.";
        InitialMargin = 4, "initial_margin" in "currency of the account", "Initial margin that the liability asks for.";
        LiquidationPriceLower = 5, "liquidation_price_lower" in "currency of the account per unit of the asset", "Price of the asset at or below which the account is liquidated, everything on its underlying moving with it; NaN where there is none.";
        LiquidationPriceUpper = 6, "liquidation_price_upper" in "currency of the account per unit of the asset", "Price of the asset at or above which the account is liquidated, everything on its underlying moving with it; NaN where there is none.";
    }
}

vocabulary! {
    /// A measure of an account over scenarios; the code is its place in the outputs.
    pub enum ScenarioMeasure: usize {
        ScanRisk = 0, "scan_risk" in "settlement currency", "Sum over the pools of groups of their worst losses, at least 0.";
        Charges = 1, "charges" in "settlement currency", "Contingency, spread charges and adjustments.";
        Minimum = 2, "minimum" in "settlement currency", "Sum of the minimum charges; it binds pool by pool.";
        Requirement = 3, "requirement" in "settlement currency", "Maintenance requirement: sum over the pools of the larger of scan risk with charges and minimum.";
        InitialMargin = 4, "initial_margin" in "settlement currency", "Requirement times the initial ratio; NaN without one.";
        NetOptionValue = 5, "net_option_value" in "settlement currency", "Value of the options held, short ones negative.";
        Equity = 6, "equity" in "settlement currency", "The equity given, plus the net option value if there is one.";
        Surplus = 7, "surplus" in "settlement currency", "Equity less requirement.";
        MarginRatio = 8, "margin_ratio" in "fraction", "Requirement over equity; infinite when no equity is left.";
    }
}

/// Something for each measure of a position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ByMeasure<T>([T; Measure::COUNT]);

impl<T> ByMeasure<T> {
    /// What `make` gives for each measure, in their order.
    pub fn from_fn(mut make: impl FnMut(Measure) -> T) -> Self {
        Self(std::array::from_fn(|place| make(Measure::TABLE[place].value)))
    }

    /// The same for every measure.
    #[inline(always)]
    pub(crate) fn all(one: T) -> Self
    where
        T: Copy,
    {
        Self([one; Measure::COUNT])
    }

    /// In the order of the measures.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// In the order of the measures.
    #[inline(always)]
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.0.iter_mut()
    }

    /// In the order of the measures.
    pub(crate) fn into_array(self) -> [T; Measure::COUNT] {
        self.0
    }

    /// What `change` makes of each.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> ByMeasure<U> {
        ByMeasure(self.0.map(change))
    }
}

impl<T> ByMeasure<Option<T>> {
    /// Nothing for any measure.
    #[must_use]
    pub const fn none() -> Self {
        Self([const { None }; Measure::COUNT])
    }
}

impl<T> Index<Measure> for ByMeasure<T> {
    type Output = T;

    #[inline(always)]
    fn index(&self, measure: Measure) -> &T {
        &self.0[measure as usize]
    }
}

impl<T> IndexMut<Measure> for ByMeasure<T> {
    #[inline(always)]
    fn index_mut(&mut self, measure: Measure) -> &mut T {
        &mut self.0[measure as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_has_a_unit_and_a_place_of_its_own() {
        assert!(Measure::TABLE.iter().enumerate().all(|(place, word)| word.value as usize == place));
        assert!(AccountMeasure::TABLE.iter().enumerate().all(|(place, word)| word.value as usize == place));
        assert!(BalanceMeasure::TABLE.iter().enumerate().all(|(place, word)| word.value as usize == place));
        assert!(ScenarioMeasure::TABLE.iter().enumerate().all(|(place, word)| word.value as usize == place));
        let units = Measure::TABLE.map(|word| word.unit);
        assert!(units.iter().chain(&AccountMeasure::TABLE.map(|word| word.unit)).all(|unit| !unit.is_empty()));
        let units = BalanceMeasure::TABLE.map(|word| word.unit);
        assert!(units.iter().chain(&ScenarioMeasure::TABLE.map(|word| word.unit)).all(|unit| !unit.is_empty()));
    }

    #[test]
    fn an_index_is_the_measure_it_is_made_for() {
        let measures = ByMeasure::from_fn(|measure| measure);
        assert!(Measure::TABLE.iter().all(|word| measures[word.value] == word.value));
    }
}
