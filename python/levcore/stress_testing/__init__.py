"""What becomes of a book in many worlds: moves of prices, alone or by factors."""
