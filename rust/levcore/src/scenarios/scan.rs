//! Sums over the scenarios and the worst of them.

/// Largest loss over scenarios.
#[derive(Clone, Copy)]
pub(crate) struct Scan {
    pub risk: f64,
    pub scenario: u32,
}

/// Scenarios at a time: enough for a vector of any width.
const LANES: usize = 8;

/// A leg with an exposure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeldLeg {
    /// Slot of its group.
    pub slot: u32,
    /// Place of its instrument.
    pub place: u32,
    pub quantity: f64,
}

/// Sums in each scenario the profits of the legs of a group, in their order.
///
/// `profits` holds those of all instruments. Some scenarios of all legs come before the next ones, so that the sums stay in a register.
#[inline(always)]
pub(crate) fn add_legs(sums: &mut [f64], legs: &[HeldLeg], profits: &[f64]) {
    let width = sums.len();
    let (chunks, rest) = sums.as_chunks_mut::<LANES>();
    let after = chunks.len() * LANES;
    for (number, chunk) in chunks.iter_mut().enumerate() {
        let mut added = [0.0; LANES];
        for leg in legs {
            let first = leg.place as usize * width + number * LANES;
            let Some(profits) = profits[first..].first_chunk::<LANES>() else { return };
            for lane in 0..LANES {
                added[lane] += leg.quantity * profits[lane];
            }
        }
        *chunk = added;
    }
    for (number, sum) in rest.iter_mut().enumerate() {
        *sum = 0.0;
        for leg in legs {
            *sum += leg.quantity * profits[leg.place as usize * width + after + number];
        }
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
