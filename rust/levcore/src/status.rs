//! What became of a row: one closed vocabulary of codes.

/// Verdict on one row, as stored in the `status` column.
///
/// Codes below 16 are findings: every number of the row is valid. Code 16 is partial: what depends on the account is NaN.
/// Codes from 32 are failures: every number of the row is NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// Evaluated, nothing to remark.
    Ok = 0,
    /// No positive price liquidates this position; its liquidation price is NaN and its distance infinite.
    NoLiquidationPrice = 1,
    /// The quantity is zero: no exposure, no requirement.
    Flat = 2,
    /// The leverage is missing: return on equity is NaN, and so is the initial margin unless a table gives it.
    MissingLeverage = 3,
    /// An isolated position whose liquidation price lies on the profit side of its entry price.
    LiquidationPriceBeyondEntry = 4,
    /// At its liquidation price the position is larger than its last tier; the last tier's rate was used.
    LiquidationPriceBeyondLastTier = 5,
    /// The mark is already at or past the liquidation price.
    AlreadyLiquidatable = 6,
    /// A leg of a cross account whose other legs or wallet could not be evaluated.
    AccountIncomplete = 16,
    /// The quantity is NaN or infinite.
    InvalidQuantity = 32,
    /// The entry price is NaN, infinite, zero or negative.
    InvalidEntryPrice = 33,
    /// The policy knows no such instrument.
    UnknownInstrument = 34,
    /// No mark price was given for the instrument.
    MissingMarkPrice = 35,
    /// The mark price is infinite, zero or negative.
    InvalidMarkPrice = 36,
    /// An isolated position with neither margin nor leverage.
    MissingMargin = 37,
    /// The isolated margin is infinite, zero or negative.
    InvalidMargin = 38,
    /// The leverage is infinite, zero or negative.
    InvalidLeverage = 39,
    /// The leverage is missing and the policy's closing fee needs it.
    MissingRequiredLeverage = 40,
    /// The accrued funding is NaN or infinite.
    InvalidFunding = 41,
    /// The position is larger than the last tier of its table.
    TierOverflow = 42,
    /// The table is keyed by a risk limit and the row has none.
    MissingRiskLimit = 43,
    /// The risk limit is infinite, zero or negative.
    InvalidRiskLimit = 44,
    /// A result is too large for a float64.
    NumericOverflow = 45,
    /// Several legs of one instrument in one cross account: in one-way mode any, in hedge mode on one side.
    DuplicateLeg = 46,
    /// An account with balances: the policy has no asset for the currency that the position settles in.
    UnknownSettlement = 47,
    /// A balance in an asset that the policy does not know.
    UnknownAsset = 48,
    /// No price was given for the asset of a balance, or of the currency that a position settles in.
    MissingAssetPrice = 49,
    /// That price is infinite, zero or negative.
    InvalidAssetPrice = 50,
    /// A balance is NaN or infinite, or a liability or interest is that or negative.
    InvalidBalance = 51,
}

/// First code that is not a finding.
pub const FIRST_PARTIAL: u8 = 16;
/// First code of a row that failed.
pub const FIRST_FAILURE: u8 = 32;

impl Status {
    /// Every code with its name and meaning, in ascending order.
    pub const TABLE: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Ok, "OK", "evaluated, nothing to remark"),
        (Self::NoLiquidationPrice, "NO_LIQUIDATION_PRICE", "no positive price liquidates the position"),
        (Self::Flat, "FLAT", "the quantity is zero"),
        (
            Self::MissingLeverage,
            "MISSING_LEVERAGE",
            "no leverage: return on equity is NaN, and so is the initial margin unless a table gives it",
        ),
        (
            Self::LiquidationPriceBeyondEntry,
            "LIQUIDATION_PRICE_BEYOND_ENTRY",
            "isolated: the liquidation price lies on the profit side of the entry price",
        ),
        (
            Self::LiquidationPriceBeyondLastTier,
            "LIQUIDATION_PRICE_BEYOND_LAST_TIER",
            "at its liquidation price the position exceeds the last tier, whose rate was used",
        ),
        (Self::AlreadyLiquidatable, "ALREADY_LIQUIDATABLE", "the mark is at or past the liquidation price"),
        (
            Self::AccountIncomplete,
            "ACCOUNT_INCOMPLETE",
            "another leg or the wallet of the account failed: what depends on the account is NaN",
        ),
        (Self::InvalidQuantity, "INVALID_QUANTITY", "quantity is NaN or infinite"),
        (Self::InvalidEntryPrice, "INVALID_ENTRY_PRICE", "entry_price is NaN, infinite, zero or negative"),
        (Self::UnknownInstrument, "UNKNOWN_INSTRUMENT", "the policy has no such instrument"),
        (Self::MissingMarkPrice, "MISSING_MARK_PRICE", "no mark price for the instrument"),
        (Self::InvalidMarkPrice, "INVALID_MARK_PRICE", "the mark price is infinite, zero or negative"),
        (Self::MissingMargin, "MISSING_MARGIN", "isolated position with neither isolated_margin nor leverage"),
        (Self::InvalidMargin, "INVALID_MARGIN", "isolated_margin is infinite, zero or negative"),
        (Self::InvalidLeverage, "INVALID_LEVERAGE", "leverage is infinite, zero or negative"),
        (
            Self::MissingRequiredLeverage,
            "MISSING_REQUIRED_LEVERAGE",
            "no leverage, and the policy's closing fee needs it",
        ),
        (Self::InvalidFunding, "INVALID_FUNDING", "accrued_funding is NaN or infinite"),
        (Self::TierOverflow, "TIER_OVERFLOW", "the position is larger than the last tier of its table"),
        (Self::MissingRiskLimit, "MISSING_RISK_LIMIT", "the table is keyed by risk_limit and the row has none"),
        (Self::InvalidRiskLimit, "INVALID_RISK_LIMIT", "risk_limit is infinite, zero or negative"),
        (Self::NumericOverflow, "NUMERIC_OVERFLOW", "a result exceeds the range of float64"),
        (
            Self::DuplicateLeg,
            "DUPLICATE_LEG",
            "several legs of one instrument in one cross account: any in one-way mode, of one side in hedge mode",
        ),
        (
            Self::UnknownSettlement,
            "UNKNOWN_SETTLEMENT",
            "an account with balances: the policy has no asset for the currency that the position settles in",
        ),
        (Self::UnknownAsset, "UNKNOWN_ASSET", "the policy knows no such asset"),
        (Self::MissingAssetPrice, "MISSING_ASSET_PRICE", "no price for the asset"),
        (Self::InvalidAssetPrice, "INVALID_ASSET_PRICE", "the asset's price is infinite, zero or negative"),
        (
            Self::InvalidBalance,
            "INVALID_BALANCE",
            "the balance is NaN or infinite, or a liability or interest is that or negative",
        ),
    ];
}

/// Verdict on one cross account, as stored in the accounts' `status` column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum AccountStatus {
    /// All legs and the wallet are known.
    Ok = 0,
    /// A leg failed; every measure of the account is NaN.
    Incomplete = 1,
    /// No wallet balance was given for an account with cross legs.
    MissingWalletBalance = 2,
    /// The wallet balance is infinite.
    InvalidWalletBalance = 3,
    /// Asked for a distance along prices on which the account's surplus is made of no lines.
    NoCommonRay = 4,
}

impl AccountStatus {
    /// Every code with its name and meaning, in ascending order.
    pub const TABLE: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Ok, "OK", "all legs and the wallet are known"),
        (Self::Incomplete, "INCOMPLETE", "at least one leg failed or overflowed: every measure of the account is NaN"),
        (Self::MissingWalletBalance, "MISSING_WALLET_BALANCE", "no wallet balance for an account with cross legs"),
        (Self::InvalidWalletBalance, "INVALID_WALLET_BALANCE", "the wallet balance is infinite"),
        (
            Self::NoCommonRay,
            "NO_COMMON_RAY",
            "distances only: with these betas a contract moves against the currency that it settles in",
        ),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_complete_and_ascending() {
        let codes: Vec<u8> = Status::TABLE.iter().map(|entry| entry.0 as u8).collect();
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(codes.len(), 28);
    }
}
