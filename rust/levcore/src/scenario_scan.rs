//! Sums over the scenarios and the worst of them.

/// Largest loss over scenarios.
#[derive(Clone, Copy)]
pub(crate) struct Scan {
    pub risk: f64,
    pub scenario: u32,
}

/// Scenarios at a time: enough for a vector of any width.
const LANES: usize = 8;

/// Adds the profit of a leg in each scenario.
pub(crate) fn add_leg(sums: &mut [f64], quantity: f64, profits: &[f64]) {
    let (sum_chunks, sum_rest) = sums.as_chunks_mut::<LANES>();
    let (profit_chunks, profit_rest) = profits.as_chunks::<LANES>();
    for (sums, profits) in sum_chunks.iter_mut().zip(profit_chunks) {
        for lane in 0..LANES {
            sums[lane] += quantity * profits[lane];
        }
    }
    for (sum, profit) in sum_rest.iter_mut().zip(profit_rest) {
        *sum += quantity * profit;
    }
}

/// The lowest profit; infinite if there is none. It does not depend on the order.
fn lowest(profits: &[f64]) -> f64 {
    let smaller = |left: f64, right: f64| if right < left { right } else { left };
    let mut lanes = [f64::INFINITY; LANES];
    let (chunks, rest) = profits.as_chunks::<LANES>();
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] = smaller(lanes[lane], chunk[lane]);
        }
    }
    for half in [4, 2, 1] {
        for lane in 0..half {
            lanes[lane] = smaller(lanes[lane], lanes[lane + half]);
        }
    }
    rest.iter().copied().fold(lanes[0], smaller)
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
