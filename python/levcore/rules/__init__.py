"""What a venue states: tiers, instruments, assets and policies, with the files that bundle them."""
