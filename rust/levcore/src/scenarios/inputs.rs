//! What portfolio margin is computed from: legs, arrays of profits, and what is added to the worst loss.

use crate::book::rows_by_account::RowsByAccount;

/// The legs of a book.
#[derive(Debug, Clone, Copy)]
pub struct Legs<'a> {
    /// Instrument of each row as a code of the book's.
    pub instrument: &'a [u32],
    /// Signed number of contracts of each row.
    pub quantity: &'a [f64],
    /// Rows of each account, in the order in which they are summed; a row without an account is not evaluated.
    pub rows: &'a RowsByAccount,
    /// Place of the book's instruments in the arrays; `None`: there is no array.
    pub places: &'a [Option<usize>],
}

/// Profit of one long contract of each instrument in each scenario, and what nets with what.
#[derive(Debug, Clone, Copy)]
pub struct ScenarioArrays<'a> {
    /// By instrument and scenario, the scenarios of an instrument next to each other.
    pub profits: &'a [f64],
    /// Scenarios of an instrument.
    pub scenarios: usize,
    /// Group of each instrument.
    pub group: &'a [u32],
    /// Pool of each group.
    pub pool: &'a [u32],
    /// Fraction of the gain of each group that counts against losses of other groups of its pool.
    pub offset: &'a [f64],
}

/// Amounts of money, or sizes, that grow with net positions. The net position of a set is the sum over its instruments of quantity times
/// size, in the order of the legs.
#[derive(Debug, Clone, Copy)]
pub struct NetAmounts<'a> {
    /// Set of each instrument; a set lies inside of one group.
    pub set: &'a [u32],
    /// Weight of each instrument in the net position of its set.
    pub size: &'a [f64],
    /// Group of each set.
    pub group: &'a [u32],
    /// Amount for a unit of each set's net position, where that is long.
    pub long: &'a [f64],
    /// The same, where it is short.
    pub short: &'a [f64],
}

/// What is added to the worst loss, and what it is compared with. Absent: not charged, not computed.
#[derive(Debug, Clone, Copy, Default)]
pub struct AddOns<'a> {
    /// Least requirement, by net position.
    pub minimum: Option<NetAmounts<'a>>,
    /// Charge by net position.
    pub contingency: Option<NetAmounts<'a>>,
    /// Sizes, and the charge of each group for a unit of size that is long against one that is short.
    pub spread: Option<(NetAmounts<'a>, &'a [f64])>,
    /// Charges (+) and credits (-) of the caller, by account and group.
    pub adjustments: Option<&'a [f64]>,
    /// Value of one long contract of instruments whose premium is paid; 0 for all others.
    pub option_value: Option<&'a [f64]>,
    /// Initial margin over requirement.
    pub initial_ratio: Option<f64>,
    /// Equity of each account without the value of its options.
    pub equity: Option<&'a [f64]>,
}

impl ScenarioArrays<'_> {
    /// Profits of an instrument by scenario.
    pub(crate) fn profits_of(&self, place: usize) -> &[f64] {
        &self.profits[place * self.scenarios..][..self.scenarios]
    }
}

impl<'a> AddOns<'a> {
    /// What grows with net positions.
    pub(crate) fn by_net_position(&self) -> [Option<NetAmounts<'a>>; 3] {
        [self.minimum, self.contingency, self.spread.map(|(sizes, _)| sizes)]
    }
}
