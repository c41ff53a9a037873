//! How many contracts stay where a liquidation goes down in tiers.

/// What is kept is this much less than the cap of the lower tier, so that rounding does not leave it above.
const BELOW: f64 = 1.0 - f64::EPSILON * 4.0;

/// Contracts with which a position stands so many tiers lower, 0 of them: in the lowest; 0 where there are not so many below.
///
/// `floors` are the lower ends of the tiers, ascending from 0, and `key` is what the position is looked up by.
///
/// # Formula
///
/// `quantity * (cap of the lower tier / key)`, a hair below.
#[must_use]
pub fn contracts_to_keep(floors: &[f64], key: f64, quantity: f64, tiers: usize) -> f64 {
    let tier = floors.partition_point(|&floor| floor < key).saturating_sub(1);
    let lower = if tiers == 0 { Some(0) } else { tier.checked_sub(tiers) };
    match lower {
        Some(lower) if tier > 0 => quantity * (floors[lower + 1] / key) * BELOW,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_stands_below_the_cap_of_the_lower_tier() {
        let floors = [0.0, 50.0, 250.0, 1_000.0];
        let kept = |key, tiers| contracts_to_keep(&floors, key, key / 10.0, tiers);
        assert_eq!(kept(50.0, 1), 0.0);
        assert!((24.99..25.0).contains(&kept(400.0, 1)));
        assert!((4.99..5.0).contains(&kept(400.0, 2)));
        assert_eq!(kept(400.0, 3), 0.0);
        assert!((4.99..5.0).contains(&kept(4_000.0, 0)));
    }
}
