//! Errors of a whole call. A bad *row* is not an error: it gets a [`Status`](crate::codes::Status).

use thiserror::Error;

/// What was wrong with a call; no output was produced.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Error {
    /// Two columns that must be as long as each other are not.
    #[error("{argument}: expected {expected} values, found {found}")]
    Length {
        /// The column or table.
        argument: &'static str,
        /// Rows that the rest of the call has.
        expected: usize,
        /// Rows found.
        found: usize,
    },
    /// A code points outside of its table.
    #[error("{argument}: row {row} holds code {found}, expected a code below {limit}")]
    Code {
        /// The column.
        argument: &'static str,
        /// First row with such a code.
        row: usize,
        /// The code found.
        found: i64,
        /// One past the last legal code.
        limit: usize,
    },
    /// The legs of a cross account name several policies.
    #[error("policy: row {row} belongs to account {account}, whose earlier legs are under another policy")]
    Policies {
        /// Code of the account.
        account: usize,
        /// First row under a policy other than that of the account's first leg.
        row: usize,
    },
    /// A table of maintenance tiers breaks a rule.
    #[error("tier {tier}: {rule}: expected {expected}, found {found}")]
    Tier {
        /// Position of the tier in its table, from zero.
        tier: usize,
        /// The rule, in words.
        rule: &'static str,
        /// What the rule asks for.
        expected: f64,
        /// What the table holds.
        found: f64,
    },
    /// A number of a policy or of a contract lies outside of its domain.
    #[error("{argument}: expected {expected}, found {found}")]
    Domain {
        /// The parameter.
        argument: &'static str,
        /// The domain, in words.
        expected: &'static str,
        /// What was given.
        found: f64,
    },
    /// An amount, or a sum of amounts, is no number or too large to be counted in whole quanta or lots.
    #[error("{unit}: expected amounts below 2^62 of it, found {found}")]
    Quanta {
        /// What is counted in: `quantum` or `lot`.
        unit: &'static str,
        /// The amount, in units of money or contracts; of a sum, in what is counted in.
        found: f64,
    },
    /// A word that its vocabulary does not hold.
    #[error("expected one of {expected}, found {found:?}")]
    Word {
        /// The words of the vocabulary.
        expected: String,
        /// The one given.
        found: String,
    },
    /// A variable of the environment holds what it must not.
    #[error("{variable}: expected {expected}, found {found:?}")]
    Environment {
        /// The variable.
        variable: &'static str,
        /// What it may hold, in words.
        expected: String,
        /// Its text.
        found: String,
    },
    /// The requested instruction set does not exist or the processor lacks it.
    #[error("instruction_set: expected one of {available}, found {found:?}")]
    InstructionSet {
        /// Names that would work here.
        available: String,
        /// The name given.
        found: String,
    },
    /// A position whose margin is no convex function of its value stands in an account that is settled as one whole.
    #[error("tiers: row {row}: a margin a unit whose rate falls has no price where the whole account is settled")]
    FallingRate {
        /// First such row.
        row: usize,
    },
    /// A replay came to prices at which a position cannot be judged.
    #[error("prices: step {step}: row {row} cannot be judged at {mark}")]
    NotJudged {
        /// Step of the replay.
        step: u64,
        /// The position, or the first open leg of its account.
        row: usize,
        /// Mark of its instrument.
        mark: f64,
    },
    /// The book has more rows than a 32-bit row index can address.
    #[error("rows: expected at most 4294967294, found {found}")]
    TooManyRows {
        /// Rows given.
        found: usize,
    },
    /// The threads of the pool could not be started.
    #[error("threads: the operating system refused to start {threads} threads: {reason}")]
    Threads {
        /// Threads asked for.
        threads: usize,
        /// What the system said.
        reason: String,
    },
    /// There is no memory for what the caller's data ask for.
    #[error("no memory for {bytes} bytes")]
    Memory {
        /// Bytes asked for at once.
        bytes: usize,
    },
    /// The caller asked for the call to end before it was done.
    #[error("interrupted")]
    Interrupted,
}

/// Result of a levcore call.
pub type Result<T> = std::result::Result<T, Error>;
