//! What open orders ask for beside a position: the margin of the worst side, and the loss of orders past the mark.
//!
//! # Formula
//!
//! With the signed value `V` of the position at the mark, the value `B` of all buy orders and `S` of all sell orders at their prices, and
//! the leverage `L`, the worst side asks for `max(|V + B|, |V - S|) / L`, of which the position itself asks for `|V| / L`.

use crate::formulas::margin::larger;
use crate::formulas::mark_to_market::unrealized_pnl;

/// Value of a position with the orders of its worst side filled.
#[inline(always)]
#[must_use]
pub fn worst_side(signed_value: f64, buys: f64, sells: f64) -> f64 {
    larger((signed_value + buys).abs(), (signed_value - sells).abs())
}

/// Value of a position and all of its orders, none netted.
#[inline(always)]
#[must_use]
pub fn both_sides(signed_value: f64, buys: f64, sells: f64) -> f64 {
    (signed_value.abs() + buys) + sells
}

/// Margin that orders ask for beside their position: `whole / leverage - |signed value| / leverage`.
#[inline(always)]
#[must_use]
pub fn order_margin(whole: f64, signed_value: f64, leverage: f64) -> f64 {
    whole / leverage - signed_value.abs() / leverage
}

/// Loss at the mark that an order would open with, never negative.
#[inline(always)]
#[must_use]
pub fn order_loss(direction: f64, size: f64, mark: f64, price: f64) -> f64 {
    larger(-unrealized_pnl(direction, size, mark, price), 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_by_hand() {
        // Long 100 with 100 to buy and 250 to sell: 200 on one side, 150 on the other.
        assert_eq!(worst_side(100.0, 100.0, 250.0), 200.0);
        assert_eq!(worst_side(-100.0, 150.0, 50.0), 150.0);
        assert_eq!(both_sides(-100.0, 150.0, 50.0), 300.0);
        assert_eq!(order_margin(200.0, 100.0, 10.0), 10.0);
        // A buy of 2 at 101 with the mark at 100 opens with a loss of 2, at 99 with none.
        assert_eq!((order_loss(1.0, 2.0, 100.0, 101.0), order_loss(1.0, 2.0, 100.0, 99.0)), (2.0, 0.0));
    }
}
