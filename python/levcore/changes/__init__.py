"""Changes of a book that have not happened yet: orders, margins, transfers, tables, and what each does."""
