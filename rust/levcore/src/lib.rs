//! Margin, liquidation prices and mark-to-market of leveraged positions, over columns.
