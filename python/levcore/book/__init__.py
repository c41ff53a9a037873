"""What the caller holds: arrays at the door, labels, positions, balances, prices and listings."""
