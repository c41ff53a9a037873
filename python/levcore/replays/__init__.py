"""A book replayed over prices: who is liquidated when, what it costs, who pays."""
