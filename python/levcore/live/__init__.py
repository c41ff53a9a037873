"""A book whose prices move tick by tick."""
