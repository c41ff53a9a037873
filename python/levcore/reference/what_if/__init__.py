"""What if, in pure Python: the changed book built row by row and evaluated as a whole."""
