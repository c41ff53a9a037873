//! The worst of the scenarios.

/// Largest loss over scenarios.
#[derive(Clone, Copy)]
pub(crate) struct Scan {
    pub risk: f64,
    pub scenario: u32,
}

/// Lanes of a minimum: enough for a vector of any width. The lowest of numbers does not depend on the order.
const LANES: usize = 8;

/// The lowest profit; infinite if there is none.
fn lowest(profits: &[f64]) -> f64 {
    let smaller = |left: f64, right: f64| if right < left { right } else { left };
    let mut lanes = [f64::INFINITY; LANES];
    let (chunks, rest) = profits.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] = smaller(lanes[lane], chunk[lane]);
        }
    }
    rest.iter().chain(&lanes).copied().fold(f64::INFINITY, smaller)
}

/// Worst loss of profits by scenario, 0 if there is none, and the first scenario with the lowest profit.
pub(crate) fn scan(profits: &[f64]) -> Scan {
    let lowest = lowest(profits);
    let scenario = profits.iter().position(|&profit| profit == lowest).unwrap_or(0) as u32;
    Scan { risk: if lowest < 0.0 { -lowest } else { 0.0 }, scenario }
}

/// Whether no sum has overflowed. Without a way out the loop goes through vectors.
pub(crate) fn all_finite(profits: &[f64]) -> bool {
    profits.iter().fold(true, |all, profit| all & profit.is_finite())
}
