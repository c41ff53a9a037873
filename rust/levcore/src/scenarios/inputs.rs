//! What portfolio margin is computed from: legs, arrays of profits, and what is added to the worst loss.

/// Account code of rows that belong to none.
pub const NO_ACCOUNT: u32 = u32::MAX;

/// The legs of a book.
#[derive(Debug, Clone, Copy)]
pub struct Legs<'a> {
    /// Instrument of each row as a code of the book's.
    pub instrument: &'a [u32],
    /// Signed number of contracts of each row.
    pub quantity: &'a [f64],
    /// Account code of each row; [`NO_ACCOUNT`]: the row is not evaluated.
    pub account: &'a [u32],
    /// Every row once, those of an account next to each other, in the order in which they are summed.
    pub order: &'a [u32],
    /// Place of the book's instruments in the arrays; `None`: there is no array.
    pub places: &'a [Option<usize>],
    /// Number of accounts.
    pub accounts: usize,
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
