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
#[inline(always)]
pub(crate) fn add_leg(sums: &mut [f64], quantity: f64, profits: &[f64]) {
    let (sum_chunks, sum_rest) = sums.as_chunks_mut::<LANES>();
    let (profit_chunks, profit_rest) = profits.as_chunks::<LANES>();
    for (sums, profits) in sum_chunks.iter_mut().zip(profit_chunks) {
        // By way of an array that cannot overlap the others: else it would be one addition after the other.
        let mut added = *sums;
        for lane in 0..LANES {
            added[lane] += quantity * profits[lane];
        }
        *sums = added;
    }
    for (sum, profit) in sum_rest.iter_mut().zip(profit_rest) {
        *sum += quantity * profit;
    }
}

/// The lowest profit; infinite if there is none. It does not depend on the order.
#[inline(always)]
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

/// The first scenario with this profit, 0 if there is none. A search would mispredict its end.
#[inline(always)]
fn first_with(profits: &[f64], profit: f64) -> u32 {
    let mut lanes = [u64::MAX; LANES];
    let (chunks, rest) = profits.as_chunks::<LANES>();
    for (number, chunk) in chunks.iter().enumerate() {
        let mut found = lanes;
        for lane in 0..LANES {
            let place = if chunk[lane] == profit { (number * LANES + lane) as u64 } else { u64::MAX };
            found[lane] = found[lane].min(place);
        }
        lanes = found;
    }
    let mut first = u64::MAX;
    for place in lanes {
        first = first.min(place);
    }
    if first == u64::MAX {
        let after = rest.iter().position(|&other| other == profit);
        return after.map_or(0, |place| (chunks.len() * LANES + place) as u32);
    }
    first as u32
}

/// Worst loss of profits by scenario, 0 if there is none, and the first scenario with the lowest profit.
#[inline(always)]
pub(crate) fn scan(profits: &[f64]) -> Scan {
    let lowest = lowest(profits);
    Scan { risk: if lowest < 0.0 { -lowest } else { 0.0 }, scenario: first_with(profits, lowest) }
}

/// Whether no sum has overflowed. Without a way out the loop goes through vectors.
#[inline(always)]
pub(crate) fn all_finite(profits: &[f64]) -> bool {
    profits.iter().fold(true, |all, profit| all & profit.is_finite())
}
