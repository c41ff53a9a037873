//! What a fill makes of a position: entry price, realized profit, margin.

use crate::codes::change::ReleaseRule;
use crate::formulas::exposure;
use crate::formulas::fill::average_entry;
use crate::formulas::mark_to_market::unrealized_pnl;
use crate::what_if::position::{Position, Terms, opening_margin};

/// An order as it fills.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fill {
    pub quantity: f64,
    pub price: f64,
    pub fee_rate: f64,
    /// Leverage of the position from now on; NaN: as it is.
    pub leverage: f64,
    /// Margin that comes with it; NaN: what the leverage asks for.
    pub amount: f64,
    pub release: ReleaseRule,
}

/// What became of the position.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filled {
    pub position: Position,
    pub realized: f64,
    pub fee: f64,
    /// What reaches the wallet: profit and margin released less fee and margin put in.
    pub cash_flow: f64,
}

/// Fills an order on a valid position.
pub(crate) fn fill(position: &Position, terms: &Terms<'_>, order: &Fill) -> Filled {
    let contract = terms.contract;
    let x = contract.coordinate(order.price);
    let fee = order.fee_rate * exposure::value(exposure::size(order.quantity, contract.contract_size), x);
    let mut after = *position;
    after.quantity = position.quantity + order.quantity;
    if !order.leverage.is_nan() {
        after.leverage = order.leverage;
    }
    let adds = position.quantity == 0.0 || (position.quantity > 0.0) == (order.quantity > 0.0);
    let turns = !adds && order.quantity.abs() > position.quantity.abs();
    let mut realized = 0.0;
    if adds {
        let (size, added) = (position.quantity.abs(), order.quantity.abs());
        let average = average_entry(size, position.entry_price, added, order.price, contract.is_inverse());
        after.entry_price = if position.quantity == 0.0 { order.price } else { average };
    } else {
        let closed = if turns { position.quantity } else { order.quantity };
        let direction = exposure::direction(position.quantity, contract.long_direction());
        let entry = contract.coordinate(position.entry_price);
        realized = unrealized_pnl(direction, exposure::size(closed, contract.contract_size), x, entry);
        if turns {
            after.entry_price = order.price;
        }
    }
    let released = match position.account {
        Some(_) => 0.0,
        None => move_margin(position, &mut after, terms, order, adds, turns),
    };
    if position.account.is_none() && order.release == ReleaseRule::Nothing {
        after.isolated_margin = after.held_margin(terms) + (realized - fee);
        return Filled { position: after, realized, fee, cash_flow: released };
    }
    Filled { position: after, realized, fee, cash_flow: released + (realized - fee) }
}

/// Margin that leaves an isolated position (negative: is put in), which is set in `after`.
fn move_margin(
    before: &Position,
    after: &mut Position,
    terms: &Terms<'_>,
    order: &Fill,
    adds: bool,
    turns: bool,
) -> f64 {
    let held = before.held_margin(terms);
    let given = !order.amount.is_nan();
    if turns && order.release == ReleaseRule::Share {
        // The old position gives back all of its margin, the new one is opened with its own.
        after.isolated_margin = if given {
            order.amount
        } else if before.isolated_margin.is_nan() {
            f64::NAN
        } else {
            opening_margin(after.quantity, after.entry_price, after.leverage, terms)
        };
        return held - after.held_margin(terms);
    }
    if adds && !given {
        if before.isolated_margin.is_nan() {
            return held - after.held_margin(terms);
        }
        let put_in = opening_margin(order.quantity, order.price, after.leverage, terms);
        after.isolated_margin = before.isolated_margin + put_in;
        return -put_in;
    }
    let mut released = 0.0;
    if !adds && order.release == ReleaseRule::Share {
        if before.isolated_margin.is_nan() {
            released = held - after.held_margin(terms);
        } else {
            let kept = before.isolated_margin * (after.quantity.abs() / before.quantity.abs());
            (after.isolated_margin, released) = (kept, before.isolated_margin - kept);
        }
    } else {
        after.isolated_margin = held;
    }
    if given {
        after.isolated_margin = after.held_margin(terms) + order.amount;
        released -= order.amount;
    }
    released
}
