//! Size, direction and value of a position.

/// Size in the coordinate's units: `|quantity| * contract_size`.
#[inline(always)]
#[must_use]
pub fn size(quantity: f64, contract_size: f64) -> f64 {
    quantity.abs() * contract_size
}

/// `+1` if the position gains as the coordinate rises, else `-1`.
#[inline(always)]
#[must_use]
pub fn direction(quantity: f64, long_direction: f64) -> f64 {
    if quantity > 0.0 { long_direction } else { -long_direction }
}

/// Value in settlement currency: `size * coordinate`.
#[inline(always)]
#[must_use]
pub fn value(size: f64, coordinate: f64) -> f64 {
    size * coordinate
}

/// Value over equity; infinite when a position has no equity left.
#[inline(always)]
#[must_use]
pub fn effective_leverage(value: f64, equity: f64) -> f64 {
    if equity > 0.0 {
        value / equity
    } else if value > 0.0 {
        f64::INFINITY
    } else {
        0.0
    }
}
