//! A table that many rows share: looked up for a whole tile at once, in registers where the processor can, else line by line.

use crate::machine::vector::{SINGLES, Vector};
use crate::rules::line::{Line, Screen, Step};

/// What the lines of a table hold, number by number, the last line repeated.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Columns {
    rate: [f64; SINGLES],
    deduction: [f64; SINGLES],
    trigger_deduction: [f64; SINGLES],
    gaining: [f64; SINGLES],
    losing: [f64; SINGLES],
    max_leverage: [f64; SINGLES],
}

impl Columns {
    /// Of a table with at most as many lines.
    pub(crate) fn of(steps: &[Step]) -> Self {
        let column = |number: fn(&Line) -> f64| {
            std::array::from_fn(|line| number(&steps[if line < steps.len() { line } else { steps.len() - 1 }].line))
        };
        Self {
            rate: column(|line| line.0[0][0]),
            deduction: column(|line| line.0[0][1]),
            trigger_deduction: column(|line| line.0[1][0]),
            gaining: column(|line| line.0[1][1]),
            losing: column(|line| line.0[2][1]),
            max_leverage: column(|line| line.0[3][0]),
        }
    }
}

/// A table that many rows share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OneTable<'a> {
    lowest: &'a Line,
    steps: &'a [Step],
    /// What it is searched by in registers, by [`Key`](crate::rules::tables::Key).
    searched: Option<(&'a Columns, [&'a Screen; 3])>,
}

impl<'a> OneTable<'a> {
    #[inline(always)]
    pub(crate) fn new(steps: &'a [Step], searched: Option<(&'a Columns, [&'a Screen; 3])>) -> Self {
        Self { lowest: &steps[0].line, steps: &steps[1..], searched }
    }

    /// Whether searching it in registers is of use.
    #[inline(always)]
    pub(crate) fn is_searched<V: Vector>(&self) -> bool {
        V::SEARCHES && self.searched.is_some()
    }

    /// Where the lines stand that apply to rows, by their values and by what gaining and losing positions need; nothing if they must be
    /// gone through one by one.
    #[inline(always)]
    pub(crate) fn search<V: Vector>(&self, value: V, gains: V::Mask, needed: V) -> Option<[V::Places; 2]> {
        let (_, [of_value, of_gaining, of_losing]) = self.searched?;
        V::search([&of_value.0, &of_gaining.0, &of_losing.0], value, gains, needed)
    }

    /// Rate, deduction and highest leverage by the values of rows; infinite where no highest one is stated. By what [`OneTable::search`]
    /// found, if it did, else every line in turn takes the rows above its threshold.
    #[inline(always)]
    pub(crate) fn by_value<V: Vector>(&self, searched: Option<[V::Places; 2]>, value: V) -> [V; 3] {
        if let Some((columns, _)) = self.searched
            && let Some([places, _]) = searched
        {
            return [
                V::pick(&columns.rate, places),
                V::pick(&columns.deduction, places),
                V::pick(&columns.max_leverage, places),
            ];
        }
        let [[rate, deduction], .., [highest, _]] = self.lowest.0;
        let [mut rate, mut deduction, mut highest] = [V::all(rate), V::all(deduction), V::all(highest)];
        for step in self.steps {
            let applies = value.is_above(V::all(step.above[0]));
            rate = V::choose(applies, V::all(step.line.rate()), rate);
            deduction = V::choose(applies, V::all(step.line.deduction()), deduction);
            highest = V::choose(applies, V::all(step.line.max_leverage()), highest);
        }
        [rate, deduction, highest]
    }

    /// Deduction and factor of the line that triggers, by what gaining and losing positions need; found likewise.
    #[inline(always)]
    pub(crate) fn by_need<V: Vector>(&self, searched: Option<[V::Places; 2]>, gains: V::Mask, needed: V) -> [V; 2] {
        if let Some((columns, _)) = self.searched
            && let Some([_, places]) = searched
        {
            let factor = V::choose(gains, V::pick(&columns.gaining, places), V::pick(&columns.losing, places));
            return [V::pick(&columns.trigger_deduction, places), factor];
        }
        let [_, gaining, losing, _] = self.lowest.0;
        let (mut deduction, mut factor) = (V::all(gaining[0]), by_side::<V>(gains, gaining[1], losing[1]));
        for step in self.steps {
            let applies = needed.is_above(by_side::<V>(gains, step.above[1], step.above[2]));
            let [_, gaining, losing, _] = step.line.0;
            deduction = V::choose(applies, V::all(gaining[0]), deduction);
            factor = V::choose(applies, by_side::<V>(gains, gaining[1], losing[1]), factor);
        }
        [deduction, factor]
    }
}

#[inline(always)]
fn by_side<V: Vector>(gains: V::Mask, gaining: f64, losing: f64) -> V {
    V::choose(gains, V::all(gaining), V::all(losing))
}
