"""A fill: what it does to the entry price of the position that it adds to."""

__all__ = ["average_entry"]


def average_entry(size: float, entry: float, added: float, price: float, inverse: bool) -> float:
    """Average entry: the mean of the prices weighted by size, of inverse contracts the harmonic mean."""
    if inverse:
        return (size + added) / (size / entry + added / price)
    return (size * entry + added * price) / (size + added)
