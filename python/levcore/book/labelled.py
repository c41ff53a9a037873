"""Tables and labelled columns of other libraries, read by what they can do, without importing one."""

from typing import Any

__all__ = ["column_names", "labels_of", "values_of"]


def column_names(table: Any) -> list[str] | None:
    """Columns of a data frame or a mapping of columns; None for what is neither."""
    if hasattr(table, "columns") and hasattr(table, "__getitem__"):
        return [str(name) for name in table.columns]
    if hasattr(table, "keys") and hasattr(table, "__getitem__") and not hasattr(table, "index"):
        return [str(name) for name in table.keys()]  # noqa: SIM118 - it need not iterate over its keys
    return None


def labels_of(series: Any) -> list[Any] | None:
    """Labels of a series that has an index of names; None for what has none."""
    index = getattr(series, "index", None)
    if index is None or callable(index) or not hasattr(series, "to_numpy"):
        return None
    labels = list(index)
    return labels if labels and all(isinstance(label, str) for label in labels) else None


def values_of(column: Any) -> Any:
    """A column as NumPy takes it: those of data frames know how."""
    return column.to_numpy() if hasattr(column, "to_numpy") else column
