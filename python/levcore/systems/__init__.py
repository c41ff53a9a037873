"""A book as another system evaluates it, beside ours."""
