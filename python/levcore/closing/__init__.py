"""After the trigger: closing a book, who pays, who is deleveraged, ladders of a market, concentration."""
