//! Prices of one instrument at which somebody must be looked at.
//!
//! Bounds near the price stand in a heap by price; those farther away in buckets of prices, in no order, which are opened when the price
//! comes to them. A row that is armed anew farther away stays in the bucket that holds it, which costs nothing: opened, the bucket hands it on.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::error::Result;
use crate::live::bounds::Bounds;
use crate::memory::filled;

/// Rows for each bucket, of which there are a power of two: to open one must not take long, nor to go on to the next.
const ROWS_OF_A_BUCKET: usize = 8;
const MOST_BUCKETS: usize = 4_096;
/// Part of the price within which bounds are near.
const NEAR: usize = 128;
/// Rows from which on there are buckets: a heap of few is as quick.
const MANY: usize = 64;
/// Stale entries that a heap may hold for each live one, and some, before everything is put in its place anew.
const STALE_SHARE: usize = 1;
const SMALL: usize = 256;
/// The price below this part of where the buckets end has them made anew.
const LOWEST: usize = 16;
/// No bucket.
const NOWHERE: u16 = u16::MAX;
/// By how much an edge lies before its bucket: a price is put into its bucket by a product that rounds.
const BEFORE: f64 = 1e-9;

/// The bounds of all rows of a book, and the buckets that hold them on either side.
#[derive(Debug, Default)]
pub(crate) struct Armed {
    bounds: Vec<Bounds>,
    held: Vec<[u16; 2]>,
}

impl Armed {
    /// So many rows, none of which is armed.
    pub(crate) fn of(rows: usize) -> Result<Self> {
        Ok(Self { bounds: filled(Bounds::NONE, rows)?, held: filled([NOWHERE; 2], rows)? })
    }

    /// Makes room for a row at the end.
    pub(crate) fn grow(&mut self) {
        self.grow_to(self.bounds.len() + 1);
    }

    /// Makes room for so many rows.
    pub(crate) fn grow_to(&mut self, rows: usize) {
        self.bounds.resize(rows, Bounds::NONE);
        self.held.resize(rows, [NOWHERE; 2]);
    }
}

/// A bound of a row. It counts while it is still the row's: a row that is armed anew leaves its old bounds behind.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Price of a lower bound, price with its sign turned of an upper one: the one that is reached first is the largest.
    key: f64,
    row: u32,
}

impl PartialEq for Entry {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    #[inline(always)]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By price alone: those who are reached at once are put in order by whoever looks at them.
impl Ord for Entry {
    #[inline(always)]
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.total_cmp(&other.key)
    }
}

/// The lower or the upper bounds of an instrument.
#[derive(Debug)]
struct Side {
    /// 0: lower, 1: upper.
    place: usize,
    /// Buckets a unit of price.
    scale: f64,
    /// By distance, up to twice the price at which they were made; what lies beyond is one more.
    buckets: Vec<Vec<u32>>,
    /// The first bucket that has not been opened.
    first: usize,
    near: BinaryHeap<Entry>,
    /// Entries from which on the heap is too large.
    limit: usize,
}

impl Side {
    fn new(place: usize) -> Self {
        Self { place, scale: f64::NAN, buckets: Vec::new(), first: 0, near: BinaryHeap::new(), limit: SMALL }
    }

    /// Key of a row, minus infinity without a bound.
    #[inline(always)]
    fn key(&self, bounds: &Bounds) -> f64 {
        if self.place == 0 { bounds.lower } else { -bounds.upper }
    }

    fn key_of_price(&self, price: f64) -> f64 {
        if self.place == 0 { price } else { -price }
    }

    /// Bucket of a key, by distance; 0 without buckets.
    #[inline(always)]
    fn bucket(&self, key: f64) -> usize {
        if self.buckets.is_empty() {
            return 0;
        }
        if self.place == 0 { self.last() - self.cell(key) } else { self.cell(-key) }
    }

    /// The last bucket.
    #[inline(always)]
    fn last(&self) -> usize {
        self.buckets.len() - 1
    }

    /// The first bucket that holds what is not near this price.
    fn first_far(&self, price: f64) -> usize {
        self.bucket(self.key_of_price(price)) + 2 + 2 * self.buckets.len() / NEAR
    }

    /// Bucket of a price, by price.
    #[inline(always)]
    #[allow(clippy::cast_sign_loss, reason = "what is below 0 belongs to the lowest bucket")]
    fn cell(&self, price: f64) -> usize {
        ((price * self.scale) as usize).min(self.last())
    }

    /// A key a little before all those in buckets that have not been opened.
    fn edge(&self) -> f64 {
        if self.first >= self.buckets.len() {
            f64::NEG_INFINITY
        } else if self.place == 0 {
            (self.last() - self.first + 1) as f64 / self.scale * (1.0 + BEFORE)
        } else {
            -(self.first as f64 / self.scale * (1.0 - BEFORE))
        }
    }

    /// Puts everybody who is anywhere in its place, for prices about this one.
    fn put_in_place(&mut self, price: f64, armed: &mut Armed) {
        let mut rows: Vec<u32> = std::mem::take(&mut self.near).into_iter().map(|entry| entry.row).collect();
        rows.extend(self.buckets.drain(..).flatten());
        rows.sort_unstable();
        rows.dedup();
        if rows.len() >= MANY && price > 0.0 && price < f64::INFINITY {
            let buckets = (rows.len() / ROWS_OF_A_BUCKET).next_power_of_two().min(MOST_BUCKETS);
            self.scale = buckets as f64 / (2.0 * price);
            self.buckets.resize_with(buckets + 1, Vec::new);
        }
        self.first = self.first_far(price);
        for &row in &rows {
            armed.held[row as usize][self.place] = NOWHERE;
            self.put(row, armed);
        }
        self.limit = SMALL + (1 + STALE_SHARE) * self.near.len();
    }

    /// Has the heap hold those near this price only, once it has grown beyond its limit.
    fn shrink(&mut self, price: f64, armed: &mut Armed) {
        if self.buckets.is_empty() || !(self.last() / LOWEST..self.last()).contains(&self.cell(price)) {
            return self.put_in_place(price, armed);
        }
        self.first = self.first.min(self.first_far(price));
        for entry in std::mem::take(&mut self.near) {
            if self.is_live(&entry, armed) {
                self.put(entry.row, armed);
            }
        }
        self.limit = SMALL + (1 + STALE_SHARE) * self.near.len();
    }

    /// Puts a row where its bound belongs.
    #[inline]
    fn put(&mut self, row: u32, armed: &mut Armed) {
        let (key, held) = (self.key(&armed.bounds[row as usize]), &mut armed.held[row as usize][self.place]);
        if key == f64::NEG_INFINITY {
            return;
        }
        let bucket = self.bucket(key);
        if bucket < self.first || self.buckets.is_empty() {
            self.near.push(Entry { key, row });
        } else if *held == NOWHERE || bucket < usize::from(*held) {
            *held = bucket as u16;
            self.buckets[bucket].push(row);
        }
    }

    /// Opens the buckets up to the one of this key.
    #[inline]
    fn open_to(&mut self, key: f64, armed: &mut Armed) {
        let last = self.bucket(key);
        while self.first <= last && self.first < self.buckets.len() {
            let opened = self.first;
            self.first += 1;
            for row in std::mem::take(&mut self.buckets[opened]) {
                let held = &mut armed.held[row as usize][self.place];
                if usize::from(*held) == opened {
                    *held = NOWHERE;
                    self.put(row, armed);
                }
            }
        }
    }

    /// Takes the rows whose bounds this key reaches.
    fn take(&mut self, key: f64, armed: &mut Armed, rows: &mut Vec<u32>) {
        self.open_to(key, armed);
        while let Some(&entry) = self.near.peek().filter(|entry| key <= entry.key) {
            self.near.pop();
            if self.is_live(&entry, armed) {
                rows.push(entry.row);
            }
        }
    }

    #[inline(always)]
    fn is_live(&self, entry: &Entry, armed: &Armed) -> bool {
        self.key(&armed.bounds[entry.row as usize]).to_bits() == entry.key.to_bits()
    }

    /// The key that is reached first.
    #[inline]
    fn nearest(&mut self, armed: &Armed) -> f64 {
        while self.near.peek().is_some_and(|entry| !self.is_live(entry, armed)) {
            self.near.pop();
        }
        let (edge, near) = (self.edge(), self.near.peek().map_or(f64::NEG_INFINITY, |entry| entry.key));
        if near > edge { near } else { edge }
    }
}

/// The bounds of all rows of an instrument.
#[derive(Debug)]
pub(crate) struct Watch {
    lower: Side,
    upper: Side,
    /// The bound on either side, or the edge of a bucket, that is reached first; infinitely far where there is none.
    nearest: Bounds,
}

impl Watch {
    /// Watches the bounds of these rows at once, from a price on; NaN: there is none yet.
    pub(crate) fn of(price: f64, rows: &[(u32, Bounds)], armed: &mut Armed) -> Self {
        let mut watch = Self { lower: Side::new(0), upper: Side::new(1), nearest: Bounds::NONE };
        for &(row, bounds) in rows {
            armed.bounds[row as usize] = bounds;
            watch.lower.put(row, armed);
            watch.upper.put(row, armed);
        }
        watch.lower.put_in_place(price, armed);
        watch.upper.put_in_place(price, armed);
        watch.find_nearest(armed);
        watch
    }

    fn find_nearest(&mut self, armed: &Armed) {
        self.nearest = Bounds { lower: self.lower.nearest(armed), upper: -self.upper.nearest(armed) };
    }

    /// Whether a price reaches any bound, or the edge of a bucket.
    #[inline(always)]
    pub(crate) fn is_reached(&self, price: f64) -> bool {
        price <= self.nearest.lower || price >= self.nearest.upper
    }

    /// The prices that are reached first.
    pub(crate) fn nearest(&self) -> Bounds {
        self.nearest
    }

    /// Takes the rows whose bounds a price reaches; a row may come twice.
    pub(crate) fn take(&mut self, price: f64, armed: &mut Armed, rows: &mut Vec<u32>) {
        self.lower.take(price, armed, rows);
        self.upper.take(-price, armed, rows);
        self.find_nearest(armed);
    }

    /// Watches other bounds of a row from now on, at this price.
    ///
    /// What is reached first may then be a bound that counts no more: it is found out when it is reached, which spares a look at its row.
    pub(crate) fn arm(&mut self, row: u32, bounds: Bounds, price: f64, armed: &mut Armed) {
        armed.bounds[row as usize] = bounds;
        self.lower.put(row, armed);
        self.upper.put(row, armed);
        if self.lower.near.len() > self.lower.limit || self.upper.near.len() > self.upper.limit {
            self.lower.shrink(price, armed);
            self.upper.shrink(price, armed);
            self.find_nearest(armed);
        }
        let Bounds { lower, upper } = self.nearest;
        self.nearest = Bounds {
            lower: if bounds.lower > lower { bounds.lower } else { lower },
            upper: if bounds.upper < upper { bounds.upper } else { upper },
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(price: f64, bounds: &[Bounds]) -> (Watch, Armed) {
        let mut armed = Armed::of(bounds.len()).unwrap();
        let rows: Vec<(u32, Bounds)> = (0..).zip(bounds.iter().copied()).collect();
        (Watch::of(price, &rows, &mut armed), armed)
    }

    fn taken(watch: &mut Watch, price: f64, armed: &mut Armed) -> Vec<u32> {
        let mut rows = Vec::new();
        if watch.is_reached(price) {
            watch.take(price, armed, &mut rows);
        }
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    #[test]
    fn a_price_takes_what_it_reaches_and_nothing_else() {
        let bounds = |lower, upper| Bounds { lower, upper };
        let (mut watch, mut armed) =
            watch(100.0, &[bounds(90.0, f64::INFINITY), bounds(f64::NEG_INFINITY, 110.0), bounds(80.0, 120.0)]);
        assert!(!watch.is_reached(100.0) && watch.is_reached(90.0) && watch.is_reached(110.0));
        assert_eq!(taken(&mut watch, 85.0, &mut armed), [0]);
        // A row that is armed anew forgets its old bounds.
        watch.arm(2, bounds(95.0, 130.0), 100.0, &mut armed);
        assert_eq!(taken(&mut watch, 95.0, &mut armed), [2]);
        assert_eq!(taken(&mut watch, 125.0, &mut armed), [1]);
    }

    #[test]
    fn buckets_take_what_a_list_of_all_bounds_takes() {
        let mut random = 1_u64;
        let mut next = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        for price in [100.0, 3e-7, f64::NAN] {
            let unit = if price > 0.0 { price / 100.0 } else { 1.0 };
            let mut about = |at: f64| match next(8) {
                0 => Bounds::NONE,
                1 => Bounds { lower: f64::NEG_INFINITY, upper: at + unit * next(400) as f64 },
                2 => Bounds::at(at),
                _ => Bounds { lower: at - unit * next(100) as f64, upper: at + unit * next(90) as f64 / 8.0 },
            };
            let mut list: Vec<Bounds> = (0..400).map(|_| about(100.0 * unit)).collect();
            let (mut watch, mut armed) = watch(price, &list);
            let mut now = 100.0 * unit;
            let mut count = 0;
            for step in 0..20_000_u32 {
                now = (now + unit * (f64::from(step * 7 % 13) - 6.0) / 2.0).clamp(unit, 300.0 * unit);
                let found = taken(&mut watch, now, &mut armed);
                let expected: Vec<u32> =
                    (0..).zip(&list).filter(|(_, at)| now <= at.lower || now >= at.upper).map(|(row, _)| row).collect();
                assert_eq!(found, expected, "{step}");
                count += found.len();
                for row in found.into_iter().chain([step % 400]) {
                    list[row as usize] = about(now);
                    watch.arm(row, list[row as usize], now, &mut armed);
                }
            }
            assert!(count > 5_000, "{count}");
        }
    }
}
