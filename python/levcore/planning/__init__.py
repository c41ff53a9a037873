"""Questions before a trade: what a position costs, when it is liquidated, and what is then lost."""
