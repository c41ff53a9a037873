//! A column that is filled only once a row of it says something.

use std::ops::Range;

/// Values of which most, often all, are one that stands for nothing said.
pub(crate) struct SparseColumn {
    values: Vec<f64>,
    absent: f64,
}

impl SparseColumn {
    pub(crate) fn new(absent: f64) -> Self {
        Self { values: Vec::new(), absent }
    }

    /// Sets the value of a row, the last one yet or a later one.
    pub(crate) fn set(&mut self, row: usize, value: f64) {
        if row < self.values.len() {
            self.values[row] = value;
        } else if !self.is_absent(value) {
            self.values.resize(row, self.absent);
            self.values.push(value);
        }
    }

    /// Sets the rows from `first` on, none of which was set, to some rows of a column.
    pub(crate) fn extend(&mut self, first: usize, given: Option<&[f64]>, rows: Range<usize>) {
        if let Some(column) = given {
            self.values.resize(first, self.absent);
            self.values.extend_from_slice(&column[rows]);
        }
    }

    /// The values of so many rows; `None`: nothing is said of any.
    pub(crate) fn column(&mut self, rows: usize) -> Option<&[f64]> {
        if self.values.is_empty() { None } else { Some(self.filled(rows)) }
    }

    /// The values of so many rows, whether anything is said of them or not.
    pub(crate) fn filled(&mut self, rows: usize) -> &[f64] {
        self.values.resize(rows, self.absent);
        &self.values
    }

    pub(crate) fn clear(&mut self) {
        self.values.clear();
    }

    fn is_absent(&self, value: f64) -> bool {
        value.to_bits() == self.absent.to_bits() || value.is_nan() && self.absent.is_nan()
    }
}

#[cfg(test)]
mod tests {
    use super::SparseColumn;

    #[test]
    fn what_nothing_is_said_of_is_not_there() {
        let mut column = SparseColumn::new(0.0);
        column.set(0, 0.0);
        column.extend(1, None, 0..3);
        assert_eq!(column.column(4), None);
        column.set(4, -0.0);
        assert_eq!(column.column(6).map(<[f64]>::len), Some(6), "-0.0 is not 0.0");
    }

    #[test]
    fn rows_that_were_left_out_are_absent() {
        let mut column = SparseColumn::new(f64::NAN);
        column.set(1, f64::NAN);
        column.set(2, 3.0);
        column.extend(4, Some(&[1.0, 2.0, 3.0]), 1..3);
        column.set(5, f64::NAN);
        let values = column.column(7).expect("a row was set");
        assert_eq!(
            values.iter().map(|value| value.is_nan()).collect::<Vec<_>>(),
            [true, true, false, true, false, true, true]
        );
        assert_eq!((values[2], values[4]), (3.0, 2.0));
        column.clear();
        assert_eq!(column.column(2), None);
    }
}
