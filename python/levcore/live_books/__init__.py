"""A book whose prices move tick by tick, and whose positions change."""
