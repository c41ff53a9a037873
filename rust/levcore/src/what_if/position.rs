//! A position as a change sees it, and the margin that an isolated one holds.

use crate::formulas::contract::Contract;
use crate::formulas::exposure;
use crate::formulas::margin;
use crate::rules::parameters::{FeeBasis, Rules};

/// What a position is priced and margined by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms<'a> {
    pub contract: &'a Contract,
    pub rules: &'a Rules,
    /// Mark price of its instrument.
    pub mark: f64,
}

/// One position of a book.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position {
    pub instrument: u32,
    pub policy: u32,
    /// Account of a cross position; `None`: isolated.
    pub account: Option<u32>,
    pub quantity: f64,
    pub entry_price: f64,
    pub isolated_margin: f64,
    pub leverage: f64,
    pub funding: f64,
    pub risk_limit: f64,
}

impl Position {
    /// No position yet.
    pub(crate) fn flat(instrument: u32, policy: u32, account: Option<u32>) -> Self {
        let none = f64::NAN;
        Self {
            instrument,
            policy,
            account,
            quantity: 0.0,
            entry_price: none,
            isolated_margin: none,
            leverage: none,
            funding: 0.0,
            risk_limit: none,
        }
    }

    /// Whether there is a position whose quantity and entry price are numbers.
    pub(crate) fn is_open(&self) -> bool {
        self.quantity != 0.0 && self.is_valid()
    }

    /// Whether an order may add to it: it is flat, or quantity and entry price are numbers.
    pub(crate) fn is_valid(&self) -> bool {
        let entry = self.entry_price > 0.0 && self.entry_price < f64::INFINITY;
        self.quantity == 0.0 || self.quantity.is_finite() && entry
    }

    /// Margin of an isolated position: as given, else the one that its leverage asks for at the entry price.
    pub(crate) fn held_margin(&self, terms: &Terms<'_>) -> f64 {
        if !self.isolated_margin.is_nan() {
            self.isolated_margin
        } else if self.quantity == 0.0 {
            0.0
        } else {
            opening_margin(self.quantity, self.entry_price, self.leverage, terms)
        }
    }
}

/// Margin that opening so many contracts at a price and leverage puts in: that of a position without a margin of its own.
pub(crate) fn opening_margin(quantity: f64, price: f64, leverage: f64, terms: &Terms<'_>) -> f64 {
    let Terms { contract, rules, mark } = *terms;
    let size = exposure::size(quantity, contract.contract_size);
    let value = exposure::value(size, contract.coordinate(price));
    let direction = exposure::direction(quantity, contract.long_direction());
    let opening = margin::initial_margin(value, leverage);
    if !rules.fee_in_initial {
        return opening;
    }
    if rules.reserve_at_bankruptcy {
        return opening + margin::reserved_fee(value, direction, leverage, rules.fee_rate);
    }
    let charged = match rules.fee_basis_isolated {
        FeeBasis::None | FeeBasis::Price => return opening,
        FeeBasis::Entry => value,
        FeeBasis::Mark => exposure::value(size, contract.coordinate(mark)),
        FeeBasis::Contract => quantity.abs(),
        FeeBasis::EntryAndMargin => value + margin::initial_margin(value, leverage),
        FeeBasis::Bankruptcy => margin::bankruptcy_value_of_leverage(value, direction, leverage),
    };
    opening + rules.fee_rate * charged
}
