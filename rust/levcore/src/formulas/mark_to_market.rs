//! Profit and equity at the mark.

/// Profit since entry: `(direction * size) * (x_mark - x_entry)`.
#[inline(always)]
#[must_use]
pub fn unrealized_pnl(direction: f64, size: f64, mark: f64, entry: f64) -> f64 {
    (direction * size) * (mark - entry)
}

/// Profit over the margin of the entry value at the position's leverage: `pnl * leverage / entry_value`.
#[inline(always)]
#[must_use]
pub fn return_on_equity(unrealized_pnl: f64, leverage: f64, entry_value: f64) -> f64 {
    unrealized_pnl * leverage / entry_value
}
