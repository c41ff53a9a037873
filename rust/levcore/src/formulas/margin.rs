//! Initial and maintenance margin, closing fee, margin ratio and margin call.

/// Margin to open a position of this value: `value / leverage`.
#[inline(always)]
#[must_use]
pub fn initial_margin(value: f64, leverage: f64) -> f64 {
    value / leverage
}

/// One line of the maintenance margin: `rate * value - deduction`. The maintenance margin of a marginal table is the largest line.
#[inline(always)]
#[must_use]
pub fn maintenance_line(value: f64, rate: f64, deduction: f64) -> f64 {
    rate * value - deduction
}

/// Rate of a position whose rate grows with its size: `rate + slope * size`.
#[inline(always)]
#[must_use]
pub fn growing_rate(rate: f64, slope: f64, size: f64) -> f64 {
    rate + slope * size
}

/// Whether a number is a leverage: no venue asks for more than the value of a position.
#[inline(always)]
#[must_use]
pub fn is_leverage(number: f64) -> bool {
    (1.0..f64::INFINITY).contains(&number)
}

/// The larger of two lines; the second on a tie, so that every instruction set agrees.
#[inline(always)]
#[must_use]
pub fn larger(left: f64, right: f64) -> f64 {
    if left > right { left } else { right }
}

/// Value at which a position with this much cash has nothing left, from its entry value:
/// `(direction * entry_value - cash) * factor`, never negative; `factor = direction / (1 - direction * fee)`.
#[inline(always)]
#[must_use]
pub fn bankruptcy_value_of_cash(entry_value: f64, direction: f64, cash: f64, factor: f64) -> f64 {
    larger((direction * entry_value - cash) * factor, 0.0)
}

/// The same, of a position that holds just its initial margin: `entry_value - direction * (entry_value / leverage)`.
#[inline(always)]
#[must_use]
pub fn bankruptcy_value_of_leverage(entry_value: f64, direction: f64, leverage: f64) -> f64 {
    entry_value - direction * (entry_value / leverage)
}

/// Closing fee that the initial margin reserves: that at the value where it ends.
#[inline(always)]
#[must_use]
pub fn reserved_fee(entry_value: f64, direction: f64, leverage: f64, rate: f64) -> f64 {
    rate * bankruptcy_value_of_leverage(entry_value, direction, leverage)
}

/// Closing fee on the entry value and the margin together, never negative: `rate * (entry_value + margin)`, where the margin held has
/// the fee inside `rate * ((entry_value + held) / (1 + rate))`.
#[inline(always)]
#[must_use]
pub fn fee_on_entry_and_margin(entry_value: f64, held: f64, rate: f64, inside: bool) -> f64 {
    let charged = larger(entry_value + held, 0.0);
    rate * if inside { charged / (1.0 + rate) } else { charged }
}

/// Requirement over equity; infinite when there is a requirement or a debt and no equity.
#[inline(always)]
#[must_use]
pub fn margin_ratio(requirement: f64, equity: f64) -> f64 {
    if equity > 0.0 {
        requirement / equity
    } else if equity < 0.0 || requirement > 0.0 {
        f64::INFINITY
    } else {
        0.0
    }
}

/// Amount that ends a margin call: `requirement / level - equity`, zero when there is none.
#[inline(always)]
#[must_use]
pub fn margin_call_amount(requirement: f64, level: f64, equity: f64) -> f64 {
    larger(requirement / level - equity, 0.0)
}
