"""Everything that is shown: words, numbers, tables, text, HTML and charts."""
