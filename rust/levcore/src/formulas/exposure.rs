//! Size, direction and value of a position.

use crate::machine::number::Number;

/// Size in the coordinate's units: `|quantity| * contract_size`.
#[inline(always)]
#[must_use]
pub fn size<N: Number>(quantity: N, contract_size: N) -> N {
    quantity.abs() * contract_size
}

/// `+1` if the position gains as the coordinate rises, else `-1`.
#[inline(always)]
#[must_use]
pub fn direction<N: Number>(quantity: N, long_direction: N) -> N {
    N::choose(quantity.is_above(N::all(0.0)), long_direction, -long_direction)
}

/// Value in settlement currency: `size * coordinate`.
#[inline(always)]
#[must_use]
pub fn value<N: Number>(size: N, coordinate: N) -> N {
    size * coordinate
}

/// Value over equity; infinite when a position has no equity left.
#[inline(always)]
#[must_use]
pub fn effective_leverage<N: Number>(value: N, equity: N) -> N {
    let zero = N::all(0.0);
    let without_equity = N::choose(value.is_above(zero), N::all(f64::INFINITY), zero);
    N::choose(equity.is_above(zero), value / equity, without_equity)
}
