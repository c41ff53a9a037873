//! Prices of one instrument at which somebody must be looked at.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::live::bounds::Bounds;

/// Stale entries that a heap may hold for each live one before it is built anew.
const STALE_SHARE: usize = 3;
/// Entries below which no heap is built anew.
const SMALL: usize = 256;

/// A bound of a row. It counts while the row's generation is still this one: a row that is armed anew leaves its old bounds behind.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Price of a lower bound, price with its sign turned of an upper one: the one that is reached first is the largest.
    key: f64,
    row: u32,
    generation: u32,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.total_cmp(&other.key).then(self.row.cmp(&other.row)).then(self.generation.cmp(&other.generation))
    }
}

/// The bounds of all rows of an instrument.
#[derive(Debug)]
pub(crate) struct Watch {
    lower: BinaryHeap<Entry>,
    upper: BinaryHeap<Entry>,
    /// The bound on either side that is reached first; infinitely far where there is none.
    nearest: Bounds,
    /// Rows of the instrument.
    rows: usize,
}

impl Watch {
    /// Watches so many bounds at once: those of `armed` rows.
    pub(crate) fn of(armed: impl Iterator<Item = (u32, Bounds)> + Clone) -> Self {
        let entry = |(row, key)| Entry { key, row, generation: 0 };
        let lower = armed.clone().map(|(row, bounds)| (row, bounds.lower)).filter(|(_, key)| *key > f64::NEG_INFINITY);
        let upper = armed.clone().map(|(row, bounds)| (row, -bounds.upper)).filter(|(_, key)| *key > f64::NEG_INFINITY);
        let rows = armed.count();
        let (lower, upper): (Vec<Entry>, Vec<Entry>) = (lower.map(entry).collect(), upper.map(entry).collect());
        let mut watch = Self { lower: lower.into(), upper: upper.into(), nearest: Bounds::NONE, rows };
        watch.find_nearest();
        watch
    }

    fn find_nearest(&mut self) {
        let key = |heap: &BinaryHeap<Entry>| heap.peek().map_or(f64::NEG_INFINITY, |entry| entry.key);
        self.nearest = Bounds { lower: key(&self.lower), upper: -key(&self.upper) };
    }

    /// Makes room for a row more.
    pub(crate) fn grow(&mut self) {
        self.rows += 1;
    }

    /// Whether a price reaches any bound.
    #[inline(always)]
    pub(crate) fn is_reached(&self, price: f64) -> bool {
        price <= self.nearest.lower || price >= self.nearest.upper
    }

    /// Prices up to which, and from which on, somebody is reached.
    pub(crate) fn edges(&self) -> [f64; 2] {
        let lower = self.lower.peek().map_or(f64::NEG_INFINITY, |entry| entry.key);
        [lower, self.upper.peek().map_or(f64::INFINITY, |entry| -entry.key)]
    }

    /// Takes the rows whose bounds a price reaches; a row may come twice.
    pub(crate) fn take(&mut self, price: f64, generation: &[u32], rows: &mut Vec<u32>) {
        for (heap, key) in [(&mut self.lower, price), (&mut self.upper, -price)] {
            while let Some(entry) = heap.peek().filter(|entry| key <= entry.key).copied() {
                heap.pop();
                if entry.generation == generation[entry.row as usize] {
                    rows.push(entry.row);
                }
            }
        }
        self.find_nearest();
    }

    /// Watches the bounds of a row from now on; `generation` has just been raised for it.
    pub(crate) fn arm(&mut self, row: u32, bounds: Bounds, generation: &[u32]) {
        let rows = self.rows;
        for (heap, key) in [(&mut self.lower, bounds.lower), (&mut self.upper, -bounds.upper)] {
            if key > f64::NEG_INFINITY {
                heap.push(Entry { key, row, generation: generation[row as usize] });
            }
            if heap.len() > SMALL + STALE_SHARE * rows {
                heap.retain(|entry| entry.generation == generation[entry.row as usize]);
            }
            while heap.peek().is_some_and(|entry| entry.generation != generation[entry.row as usize]) {
                heap.pop();
            }
        }
        self.find_nearest();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_takes_what_it_reaches_and_nothing_else() {
        let bounds = |lower, upper| Bounds { lower, upper };
        let armed = [bounds(90.0, f64::INFINITY), bounds(f64::NEG_INFINITY, 110.0), bounds(80.0, 120.0)];
        let mut watch = Watch::of((0..).zip(armed));
        let mut generation = vec![0; 3];
        assert!(!watch.is_reached(100.0) && watch.is_reached(90.0) && watch.is_reached(110.0));
        let mut rows = Vec::new();
        watch.take(85.0, &generation, &mut rows);
        assert_eq!(rows, [0]);
        // A row that is armed anew forgets its old bounds.
        generation[2] += 1;
        watch.arm(2, bounds(95.0, 130.0), &generation);
        rows.clear();
        watch.take(95.0, &generation, &mut rows);
        assert_eq!(rows, [2]);
        rows.clear();
        watch.take(125.0, &generation, &mut rows);
        assert_eq!(rows, [1]);
    }
}
