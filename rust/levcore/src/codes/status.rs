//! What became of a row and of an account: closed vocabularies of codes.

use crate::codes::vocabulary::vocabulary;

vocabulary! {
    /// Verdict on one row, as stored in the `status` column.
    ///
    /// Codes below 16 are findings: every number of the row is valid. Codes from 16 are partial: what depends on the account,
    /// or on a margin that is not known, is NaN. Codes from 32 are failures: every number of the row is NaN. 37 is retired.
    pub enum Status: u8 {
        Ok = 0, "OK", "evaluated, nothing to remark";
        NoLiquidationPrice = 1, "NO_LIQUIDATION_PRICE", "no positive price liquidates the position";
        Flat = 2, "FLAT", "the quantity is zero";
        MissingLeverage = 3, "MISSING_LEVERAGE", "no leverage: return on equity is NaN, and so is the initial margin unless a table gives it";
        LiquidationPriceBeyondEntry = 4, "LIQUIDATION_PRICE_BEYOND_ENTRY", "isolated: the liquidation price lies on the profit side of the entry price";
        LiquidationPriceBeyondLastTier = 5, "LIQUIDATION_PRICE_BEYOND_LAST_TIER", "at its liquidation price the position exceeds the last tier, whose rate was used";
        AlreadyLiquidatable = 6, "ALREADY_LIQUIDATABLE", "the mark is at or past the liquidation price";
        NoBankruptcyPrice = 7, "NO_BANKRUPTCY_PRICE", "no price on the liquidating side ends the equity, or the closing fee at the end is not known";
        LeverageAboveTier = 8, "LEVERAGE_ABOVE_TIER", "the leverage is above the maximum of the tier that the position is in at the mark";
        MissingInitialTiers = 9, "MISSING_INITIAL_TIERS", "the policy takes the initial margin from a table and the instrument has none: it is NaN";
        AccountIncomplete = 16, "ACCOUNT_INCOMPLETE", "another leg or the wallet of the account failed: what depends on the account is NaN";
        WithoutMargin = 17, "WITHOUT_MARGIN", "isolated position with neither isolated_margin nor leverage: what depends on the margin is NaN";
        InvalidQuantity = 32, "INVALID_QUANTITY", "quantity is NaN or infinite";
        InvalidEntryPrice = 33, "INVALID_ENTRY_PRICE", "entry_price is NaN, infinite, zero or negative";
        UnknownInstrument = 34, "UNKNOWN_INSTRUMENT", "the policy has no such instrument";
        MissingMarkPrice = 35, "MISSING_MARK_PRICE", "no mark price for the instrument";
        InvalidMarkPrice = 36, "INVALID_MARK_PRICE", "the mark price is infinite, zero or negative";
        InvalidMargin = 38, "INVALID_MARGIN", "isolated_margin is infinite";
        InvalidLeverage = 39, "INVALID_LEVERAGE", "leverage is infinite or below 1";
        MissingRequiredLeverage = 40, "MISSING_REQUIRED_LEVERAGE", "no leverage, and the policy's closing fee needs it";
        InvalidFunding = 41, "INVALID_FUNDING", "accrued_funding is NaN or infinite";
        TierOverflow = 42, "TIER_OVERFLOW", "the position is larger than the last tier of its table";
        MissingRiskLimit = 43, "MISSING_RISK_LIMIT", "the table is keyed by risk_limit and the row has none";
        InvalidRiskLimit = 44, "INVALID_RISK_LIMIT", "risk_limit is infinite, zero or negative";
        NumericOverflow = 45, "NUMERIC_OVERFLOW", "a result exceeds the range of float64";
        DuplicateLeg = 46, "DUPLICATE_LEG", "several legs of one instrument in one cross account: any in one-way mode, of one side in hedge mode";
        UnknownSettlement = 47, "UNKNOWN_SETTLEMENT", "an account with balances: the policy has no asset for the currency that the position settles in";
        UnknownAsset = 48, "UNKNOWN_ASSET", "the policy knows no such asset";
        MissingAssetPrice = 49, "MISSING_ASSET_PRICE", "no price for the asset";
        InvalidAssetPrice = 50, "INVALID_ASSET_PRICE", "the asset's price is infinite, zero or negative";
        InvalidBalance = 51, "INVALID_BALANCE", "the balance is NaN or infinite, or a liability or interest is that or negative";
        NoPosition = 52, "NO_POSITION", "what-if only: the change concerns no position, or was refused";
        Refused = 53, "REFUSED", "comparisons only: the policy refuses the margin mode or the account of the row, and the comparison says why";
    }
}

/// First code that is not a finding.
pub const FIRST_PARTIAL: u8 = 16;
/// First code of a row that failed.
pub const FIRST_FAILURE: u8 = 32;

vocabulary! {
    /// Verdict on one cross account, as stored in the accounts' `status` column.
    pub enum AccountStatus: u8 {
        Ok = 0, "OK", "all legs and the wallet are known";
        Incomplete = 1, "INCOMPLETE", "at least one leg failed or overflowed: every measure of the account is NaN";
        MissingWalletBalance = 2, "MISSING_WALLET_BALANCE", "no wallet balance for an account with cross legs";
        InvalidWalletBalance = 3, "INVALID_WALLET_BALANCE", "the wallet balance is infinite";
        NoCommonRay = 4, "NO_COMMON_RAY", "distances only: with these betas a contract moves against the currency that it settles in";
        NoAccount = 5, "NO_ACCOUNT", "what-if only: the change concerns no account, or was refused";
        MixedSettlement = 6, "MIXED_SETTLEMENT", "what it holds settles in several currencies, and the policy does not say that each has a wallet of its own";
        MissingWalletCurrency = 7, "MISSING_WALLET_CURRENCY", "its legs settle in several currencies, and no wallet balance says of which it is";
        SeveralWallets = 8, "SEVERAL_WALLETS", "a wallet for each settlement currency, all judged: no amount is of the whole account, the wallets have them";
        Refused = 9, "REFUSED", "comparisons only: the policy refuses accounts of its kind, and the comparison says why";
    }
}

impl AccountStatus {
    /// Whether there is a wallet.
    #[inline(always)]
    pub(crate) fn of_wallet(wallet_balance: f64) -> Self {
        if wallet_balance.is_nan() {
            Self::MissingWalletBalance
        } else if wallet_balance.is_infinite() {
            Self::InvalidWalletBalance
        } else {
            Self::Ok
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_complete_and_ascending() {
        assert!(Status::TABLE.is_sorted_by(|one, next| (one.value as u8) < next.value as u8));
        assert_eq!(Status::COUNT, 33);
    }
}
