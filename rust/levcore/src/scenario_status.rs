//! What became of the rows and accounts of a portfolio margin: two closed vocabularies of codes.

/// Verdict on a row that keeps its account from being evaluated; names shared with [`Status`](crate::status::Status) share its codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum RowStatus {
    /// The quantity is NaN or infinite.
    InvalidQuantity = 32,
    /// No array is given for the instrument.
    UnknownInstrument = 34,
    /// A scenario of the instrument holds no number.
    IncompleteArray = 64,
    /// The value of an option is NaN or infinite.
    MissingOptionValue = 65,
}

impl RowStatus {
    /// Every code with its name and meaning, in ascending order.
    pub const TABLE: &'static [(Self, &'static str, &'static str)] = &[
        (Self::InvalidQuantity, "INVALID_QUANTITY", "quantity is NaN or infinite"),
        (Self::UnknownInstrument, "UNKNOWN_INSTRUMENT", "no scenario array is given for the instrument"),
        (Self::IncompleteArray, "INCOMPLETE_ARRAY", "a scenario of the instrument holds no finite number"),
        (Self::MissingOptionValue, "MISSING_OPTION_VALUE", "the option value of the instrument is NaN or infinite"),
    ];
}

/// Verdict on an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum AccountStatus {
    /// Every measure that was asked for is valid.
    Ok = 0,
    /// A leg failed, an adjustment is missing or a sum overflowed: every measure is NaN.
    Incomplete = 1,
    /// The equity is NaN: equity, surplus and margin ratio are.
    MissingEquity = 2,
    /// The equity is infinite: equity, surplus and margin ratio are NaN.
    InvalidEquity = 3,
}

impl AccountStatus {
    /// Every code with its name and meaning, in ascending order.
    pub const TABLE: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Ok, "OK", "every measure that was asked for is valid"),
        (
            Self::Incomplete,
            "INCOMPLETE",
            "a leg failed, an adjustment is NaN or a sum overflowed: every measure is NaN",
        ),
        (Self::MissingEquity, "MISSING_EQUITY", "the equity is NaN: equity, surplus and margin ratio are NaN"),
        (Self::InvalidEquity, "INVALID_EQUITY", "the equity is infinite: equity, surplus and margin ratio are NaN"),
    ];
}
