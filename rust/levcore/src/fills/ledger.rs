//! One position as its fills make it, one after the other.

use crate::formulas::contract::{Contract, price_at_coordinate};
use crate::formulas::fill::average_entry;
use crate::formulas::{exposure, mark_to_market};

/// A position while its fills come in.
///
/// # Formula
///
/// A fill in the position's direction moves the entry to the average ([`average_entry`]); one against it realizes the profit of what it
/// closes, since the entry. What goes beyond zero opens a position at the price of the fill, which keeps its share of the fee.
///
/// Decimal quantities do not cancel in binary: a rest no larger than the round-off of the fills since it was last zero, `2^-52` a fill of
/// the largest quantity among them, is zero.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ledger {
    pub quantity: f64,
    /// Average entry price; of no meaning while flat.
    pub entry: f64,
    pub realized: f64,
    pub fees: f64,
    /// Of the open position alone: what was realized and paid since it was flat.
    realized_since: f64,
    fees_since: f64,
    /// Fills since the quantity was zero, also those before a flip, and the largest quantity among them.
    fills: f64,
    largest: f64,
}

/// Round-off of a quantity and of its addition.
const ROUND_OFF: f64 = f64::EPSILON;

impl Ledger {
    /// Takes a fill of a signed quantity of contracts.
    pub(crate) fn fill(&mut self, quantity: f64, price: f64, fee: f64, contract: &Contract) {
        self.fees += fee;
        if quantity == 0.0 || self.quantity == 0.0 || (quantity > 0.0) == (self.quantity > 0.0) {
            self.add(quantity, price, fee, contract.is_inverse());
            return;
        }
        let rest = self.quantity + quantity;
        self.count(quantity);
        let flat = rest.abs() <= ROUND_OFF * self.fills * self.largest;
        if flat || (rest > 0.0) == (self.quantity > 0.0) {
            let closed = if flat { self.quantity } else { quantity };
            self.realize(closed.abs(), price, contract);
            self.fees_since += fee;
            self.quantity = rest;
            if flat {
                self.forget();
            }
            return;
        }
        self.realize(self.quantity.abs(), price, contract);
        // What is left carries the round-off of all fills before it.
        let (fills, largest) = (self.fills, self.largest);
        self.forget();
        (self.fills, self.largest) = (fills, largest);
        self.add(rest, price, fee * (rest.abs() / quantity.abs()), contract.is_inverse());
    }

    fn add(&mut self, quantity: f64, price: f64, fee: f64, inverse: bool) {
        self.fees_since += fee;
        if quantity == 0.0 {
            return;
        }
        let (size, added) = (self.quantity.abs(), quantity.abs());
        self.entry = if size == 0.0 { price } else { average_entry(size, self.entry, added, price, inverse) };
        self.quantity += quantity;
        self.count(quantity);
    }

    fn count(&mut self, quantity: f64) {
        self.fills += 1.0;
        self.largest = if quantity.abs() > self.largest { quantity.abs() } else { self.largest };
        self.largest = if self.quantity.abs() > self.largest { self.quantity.abs() } else { self.largest };
    }

    fn realize(&mut self, closed: f64, price: f64, contract: &Contract) {
        let profit = self.profit(closed, price, contract);
        self.realized += profit;
        self.realized_since += profit;
    }

    /// Profit of so many of its contracts at a price.
    fn profit(&self, contracts: f64, price: f64, contract: &Contract) -> f64 {
        let size = exposure::size(contracts, contract.contract_size);
        let direction = exposure::direction(self.quantity, contract.long_direction());
        mark_to_market::unrealized_pnl(direction, size, contract.coordinate(price), contract.coordinate(self.entry))
    }

    /// Profit at the mark of what is open; 0 while flat.
    pub(crate) fn unrealized(&self, mark: f64, contract: &Contract) -> f64 {
        if self.quantity == 0.0 { 0.0 } else { self.profit(self.quantity, mark, contract) }
    }

    /// Price at which the open position, with all that it realized and paid since it was flat, comes to nothing; NaN where there is none.
    pub(crate) fn break_even(&self, contract: &Contract) -> f64 {
        if self.quantity == 0.0 {
            return f64::NAN;
        }
        let size = exposure::size(self.quantity, contract.contract_size);
        let direction = exposure::direction(self.quantity, contract.long_direction());
        let lacking = (self.fees_since - self.realized_since) / (direction * size);
        let price = price_at_coordinate(contract.coordinate(self.entry) + lacking, contract);
        if price > 0.0 && price < f64::INFINITY { price } else { f64::NAN }
    }

    fn forget(&mut self) {
        (self.quantity, self.entry) = (0.0, f64::NAN);
        (self.realized_since, self.fees_since, self.fills, self.largest) = (0.0, 0.0, 0.0, 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formulas::contract::Payoff;

    #[test]
    fn a_flip_by_hand() {
        let contract = Contract::new(Payoff::Linear, 1.0, 1.0).unwrap();
        let mut ledger = Ledger::default();
        ledger.fill(1.0, 100.0, 1.0, &contract);
        ledger.fill(1.0, 110.0, 1.0, &contract);
        assert_eq!((ledger.quantity, ledger.entry), (2.0, 105.0));
        // Closes 2 with a profit of 30 and opens 2 short; half of the fee is the new position's.
        ledger.fill(-4.0, 120.0, 4.0, &contract);
        assert_eq!((ledger.quantity, ledger.entry, ledger.realized, ledger.fees), (-2.0, 120.0, 30.0, 6.0));
        assert_eq!((ledger.break_even(&contract), ledger.unrealized(130.0, &contract)), (119.0, -20.0));
    }

    #[test]
    fn decimals_that_do_not_cancel_are_closed() {
        let contract = Contract::new(Payoff::Linear, 1.0, 1.0).unwrap();
        let mut ledger = Ledger::default();
        for quantity in [0.1, 0.2, -0.3] {
            ledger.fill(quantity, 100.0, 0.0, &contract);
        }
        assert_eq!(ledger.quantity, 0.0);
        assert!(ledger.entry.is_nan() && ledger.break_even(&contract).is_nan());
    }
}
