//! Liquidation and bankruptcy: zeros of a minimum of lines in the position's value.
//!
//! # Formula
//!
//! Along the price of its own instrument a position's account has the equity `A + d V`, where `V` is the position's value, `d` its
//! direction and `A` everything else. With the requirement `max_k (r_k V - c_k)` the zero of the surplus is
//!
//! ```text
//! d = +1:  V* = max_k (-A - c_k) / (1 - r_k)          d = -1:  V* = min_k (A + c_k) / (1 + r_k)
//! ```
//!
//! The lines cross where one tier takes over from the next, so the line that decides is found by counting the thresholds that `y = -A`
//! lies above, and the zero is `(y - c_k) f_k` with the factors `f_k = d / (1 - d r_k)`, which are constants of the table.
//!
//! Where the rate grows with the value itself, `r + s V`, the surplus is the parabola `A + d V - r V - s V^2`, and with `g = 1 - d r`
//!
//! ```text
//! V* = 2 d y / (g + sqrt(g^2 - 4 s y))
//! ```
//!
//! is its only positive zero for `d = -1` and the smaller of two for `d = +1`: the one on the side where the position loses. The other
//! form of the root, which subtracts, would lose the digits of a small slope. A negative discriminant means that no price restores it.
//! The larger of two, `(g + sqrt(g^2 - 4 s y)) / (2 s)`, is where the requirement outgrows the profit of a position that gains with its
//! value: a short inverse one, whose value rises as the price falls.

use crate::machine::number::Number;

/// Value of the position at which its surplus is zero: `(needed - deduction) * factor`.
#[inline(always)]
#[must_use]
pub fn value_at_zero<N: Number>(needed: N, deduction: N, factor: N) -> N {
    (needed - deduction) * factor
}

/// The same where the rate grows with the value: `2 d needed / (gap + sqrt(gap^2 - 4 slope needed))` with `gap = 1 - d rate`.
#[inline(always)]
#[must_use]
pub fn value_at_zero_of_growing<N: Number>(needed: N, direction: N, rate: N, slope: N) -> N {
    let gap = N::all(1.0) - direction * rate;
    let root = (gap * gap - N::all(4.0) * slope * needed).sqrt();
    (direction * (N::all(2.0) * needed)) / (gap + root)
}

/// The other zero, of a position that gains as its value rises: `(gap + sqrt(gap^2 - 4 slope needed)) / (2 slope)`, `gap = 1 - rate`.
#[inline(always)]
#[must_use]
pub fn far_value_at_zero_of_growing<N: Number>(needed: N, rate: N, slope: N) -> N {
    let gap = N::all(1.0) - rate;
    let root = (gap * gap - N::all(4.0) * slope * needed).sqrt();
    (gap + root) / (N::all(2.0) * slope)
}

/// Whether of two prices, either of which may be NaN, the one above is met first.
#[inline(always)]
#[must_use]
pub fn is_nearer_above<N: Number>(mark: N, lower: N, upper: N) -> N::Mask {
    lower.is_nan() | (mark - lower).abs().is_above((upper - mark).abs())
}

/// A price, or NaN where it is not positive, as at a value that is not, or leaves the range of float64.
#[inline(always)]
#[must_use]
pub fn price_or_none<N: Number>(price: N) -> N {
    N::choose(price.is_positive(), price, N::nan())
}

/// Room to liquidation as a fraction of the mark: `side * (mark - price) * (1 / mark)`.
#[inline(always)]
#[must_use]
pub fn distance<N: Number>(side: N, mark: N, price: N, reciprocal_mark: N) -> N {
    (side * (mark - price)) * reciprocal_mark
}
