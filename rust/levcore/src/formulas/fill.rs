//! A fill: what it does to the entry price of the position that it adds to.

/// Average entry price of a position of `size` from `entry` that grows by `added` at `price`.
///
/// # Formula
///
/// The entry at which value and profit of the whole are those of its two parts: the mean of the prices weighted by size (linear, quanto),
/// or the harmonic mean (inverse), whose sizes are values in quote currency.
#[inline(always)]
#[must_use]
pub fn average_entry(size: f64, entry: f64, added: f64, price: f64, inverse: bool) -> f64 {
    if inverse {
        (size + added) / (size / entry + added / price)
    } else {
        (size * entry + added * price) / (size + added)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_by_hand() {
        // 1 at 2,000 and 0.5 at 2,500: 3,250 / 1.5.
        assert_eq!(average_entry(1.0, 2_000.0, 0.5, 2_500.0, false), 3_250.0 / 1.5);
        // 100 quote units at 50 and 100 at 25: 2 and 4 base units, so 200 / 6.
        assert_eq!(average_entry(100.0, 50.0, 100.0, 25.0, true), 200.0 / 6.0);
    }
}
