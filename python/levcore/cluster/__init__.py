"""A book in parts: batches of one stream, partitions over processes and machines."""
