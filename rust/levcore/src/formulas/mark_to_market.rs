//! Profit and equity at the mark.

use crate::machine::number::Number;

/// Profit since entry: `(direction * size) * (x_mark - x_entry)`.
#[inline(always)]
#[must_use]
pub fn unrealized_pnl<N: Number>(direction: N, size: N, mark: N, entry: N) -> N {
    (direction * size) * (mark - entry)
}

/// Profit over the margin of the entry value at the position's leverage: `pnl * leverage / entry_value`.
#[inline(always)]
#[must_use]
pub fn return_on_equity<N: Number>(unrealized_pnl: N, leverage: N, entry_value: N) -> N {
    unrealized_pnl * leverage / entry_value
}
