"""Books to try."""
