//! Initial and maintenance margin, closing fee, margin ratio and margin call.

use crate::machine::number::Number;

/// Margin to open a position of this value: `value / leverage`.
#[inline(always)]
#[must_use]
pub fn initial_margin<N: Number>(value: N, leverage: N) -> N {
    value / leverage
}

/// One line of the maintenance margin: `rate * value - deduction`. The maintenance margin of a marginal table is the largest line.
#[inline(always)]
#[must_use]
pub fn maintenance_line<N: Number>(value: N, rate: N, deduction: N) -> N {
    rate * value - deduction
}

/// Rate of a position whose rate grows with its size: `rate + slope * size`.
#[inline(always)]
#[must_use]
pub fn growing_rate<N: Number>(rate: N, slope: N, size: N) -> N {
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
pub fn larger<N: Number>(left: N, right: N) -> N {
    N::choose(left.is_above(right), left, right)
}

/// Value at which a position with this much cash has nothing left, from its entry value:
/// `(direction * entry_value - cash) * factor`, never negative; `factor = direction / (1 - direction * fee)`.
#[inline(always)]
#[must_use]
pub fn bankruptcy_value_of_cash<N: Number>(entry_value: N, direction: N, cash: N, factor: N) -> N {
    larger((direction * entry_value - cash) * factor, N::all(0.0))
}

/// The same, of a position that holds just its initial margin: `entry_value - direction * (entry_value / leverage)`.
#[inline(always)]
#[must_use]
pub fn bankruptcy_value_of_leverage<N: Number>(entry_value: N, direction: N, leverage: N) -> N {
    entry_value - direction * (entry_value / leverage)
}

/// Closing fee that the initial margin reserves: that at the value where it ends.
#[inline(always)]
#[must_use]
pub fn reserved_fee<N: Number>(entry_value: N, direction: N, leverage: N, rate: N) -> N {
    rate * bankruptcy_value_of_leverage(entry_value, direction, leverage)
}

/// Closing fee on the entry value and the margin together, never negative: `rate * (entry_value + margin)`, where the margin held has
/// the fee inside `rate * ((entry_value + held) / (1 + rate))`.
#[inline(always)]
#[must_use]
pub fn fee_on_entry_and_margin<N: Number>(entry_value: N, held: N, rate: N, inside: bool) -> N {
    let charged = larger(entry_value + held, N::all(0.0));
    rate * if inside { charged / (N::all(1.0) + rate) } else { charged }
}

/// Requirement over equity; infinite when there is a requirement or a debt and no equity.
#[inline(always)]
#[must_use]
pub fn margin_ratio<N: Number>(requirement: N, equity: N) -> N {
    let zero = N::all(0.0);
    let owes = equity.is_below(zero) | requirement.is_above(zero);
    let without_equity = N::choose(owes, N::all(f64::INFINITY), zero);
    N::choose(equity.is_above(zero), requirement / equity, without_equity)
}

/// Amount that ends a margin call: `requirement / level - equity`, zero when there is none.
#[inline(always)]
#[must_use]
pub fn margin_call_amount<N: Number>(requirement: N, level: N, equity: N) -> N {
    larger(requirement / level - equity, N::all(0.0))
}
