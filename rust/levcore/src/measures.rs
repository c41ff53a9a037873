//! The closed table of measures: what levcore computes for every position.

/// A measure of a position; the discriminant is its place in the outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Measure {
    /// Value at the mark.
    Notional = 0,
    /// Profit since entry at the mark.
    UnrealizedPnl,
    /// Profit over the margin that the entry value asks for at the position's leverage.
    ReturnOnEquity,
    /// Margin to open.
    InitialMargin,
    /// Margin to keep.
    MaintenanceMargin,
    /// What the margin is worth now.
    Equity,
    /// Requirement over equity.
    MarginRatio,
    /// Value over equity.
    EffectiveLeverage,
    /// Price at which equity meets the requirement.
    LiquidationPrice,
    /// Price at which nothing is left.
    BankruptcyPrice,
    /// Move to liquidation, as a fraction of the mark.
    DistanceToLiquidation,
    /// Price at or below which the position is liquidated.
    LiquidationPriceLower,
    /// Price at or above which the position is liquidated.
    LiquidationPriceUpper,
}

/// Number of measures.
pub const COUNT: usize = 13;

/// Name, unit and meaning of a measure.
#[derive(Debug, Clone, Copy)]
pub struct Description {
    /// Name of the column.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Meaning, sign and the formula in words.
    pub doc: &'static str,
}

/// Every measure, in the order of [`Measure`].
pub const TABLE: [Description; COUNT] = [
    Description {
        name: "notional",
        unit: "settlement currency",
        doc: "Value of the position at the mark price: size times mark (linear, quanto) or size over mark (inverse); never negative.",
    },
    Description {
        name: "unrealized_pnl",
        unit: "settlement currency",
        doc: "Profit (positive) or loss since entry at the mark price, without funding and fees.",
    },
    Description {
        name: "return_on_equity",
        unit: "fraction",
        doc: "Unrealized PnL over the entry value divided by leverage; NaN without a leverage.",
    },
    Description {
        name: "initial_margin",
        unit: "settlement currency",
        doc: "Margin needed to open: value over leverage at the mark or the entry price, as the policy says, with the closing fee where the policy includes it; NaN without a leverage.",
    },
    Description {
        name: "maintenance_margin",
        unit: "settlement currency",
        doc: "Margin that must be kept, by the tier that applies, with the closing fee where the policy reports it inside.",
    },
    Description {
        name: "equity",
        unit: "settlement currency",
        doc: "Isolated: margin plus accrued funding plus unrealized PnL. Cross: the equity of the account.",
    },
    Description {
        name: "margin_ratio",
        unit: "fraction",
        doc: "Requirement (maintenance margin plus closing fee) over equity; rises with risk; infinite when no equity is left. Cross: of the account.",
    },
    Description {
        name: "effective_leverage",
        unit: "multiple",
        doc: "Notional of the position over its equity (cross: over the account's); infinite when no equity is left.",
    },
    Description {
        name: "liquidation_price",
        unit: "quote per base",
        doc: "Mark price at which equity falls to the requirement of the tier that applies there, other legs of the account at their marks; NaN when no positive price liquidates.",
    },
    Description {
        name: "bankruptcy_price",
        unit: "quote per base",
        doc: "Mark price at which equity is zero, after the closing fee where the policy says so; NaN when no positive price does that.",
    },
    Description {
        name: "distance_to_liquidation",
        unit: "fraction of the mark",
        doc: "Adverse move from the mark to the liquidation price over the mark; negative when past it, infinite when there is no such price.",
    },
    Description {
        name: "liquidation_price_lower",
        unit: "quote per base",
        doc: "Mark price at or below which the position is liquidated: of a long position its liquidation price, of a short one NaN.",
    },
    Description {
        name: "liquidation_price_upper",
        unit: "quote per base",
        doc: "Mark price at or above which the position is liquidated: of a short position its liquidation price, of a long one NaN.",
    },
];
