//! Numbers in rising order that are searched for many others at once.

use crate::machine::vector::prefetch;

/// Numbers of a block: two cache lines, of which a search reads no other ones.
const BLOCK: usize = 16;

/// Rising numbers, and the first of every block once more: those stay in the cache while the numbers do not.
#[derive(Debug, Default)]
pub(crate) struct Sorted {
    all: Vec<f64>,
    first: Vec<f64>,
}

impl Sorted {
    /// These numbers, which rise.
    pub(crate) fn new(all: Vec<f64>) -> Self {
        let first = all.iter().step_by(BLOCK).copied().collect();
        Self { all, first }
    }

    /// How many numbers lie at or below each of some others, which rise too.
    ///
    /// The blocks of all are found before any is read, so that no search waits for the memory of the one before.
    pub(crate) fn count_up_to(&self, others: &[f64]) -> Vec<u32> {
        let mut counts = Vec::with_capacity(others.len());
        let mut blocks = 0;
        for &other in others {
            blocks = up_to(&self.first, blocks, other);
            let start = blocks.saturating_sub(1) * BLOCK;
            for line in [start, start + BLOCK / 2, start + BLOCK - 1] {
                prefetch(self.all.as_ptr(), line);
            }
            counts.push(start as u32);
        }
        for (count, &other) in counts.iter_mut().zip(others) {
            let rest = &self.all[*count as usize..];
            let inside = rest.iter().take(BLOCK).map(|&number| u32::from(number <= other)).sum::<u32>();
            *count += inside;
        }
        counts
    }
}

/// How many numbers lie at or below another one, of which `from` are known to.
#[inline(always)]
fn up_to(numbers: &[f64], from: usize, other: f64) -> usize {
    let rest = &numbers[from..];
    let mut width = 1;
    while width < rest.len() && rest[width] <= other {
        width *= 2;
    }
    let end = if width < rest.len() { width } else { rest.len() };
    from + rest[..end].partition_point(|&number| number <= other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_a_search_one_by_one() {
        for count in [0, 1, 15, 16, 17, 31, 32, 33, 1000] {
            // Every third one stands twice.
            let numbers: Vec<f64> = (0..count).map(|place| f64::from(place - place % 3 / 2)).collect();
            let sorted = Sorted::new(numbers.clone());
            let others: Vec<f64> = (-2..2 * count + 4).map(|place| f64::from(place) / 2.0).collect();
            let expected: Vec<u32> =
                others.iter().map(|&other| numbers.iter().filter(|&&number| number <= other).count() as u32).collect();
            assert_eq!(sorted.count_up_to(&others), expected, "{count} numbers");
            for (other, expected) in others.iter().zip(expected) {
                assert_eq!(sorted.count_up_to(&[*other]), [expected]);
            }
        }
    }
}
