"""Objects that a notebook shows as a table."""

from importlib import import_module

__all__ = ["Shown"]


class Shown:
    """Shows itself in a notebook as the reports would, in short; as text where Jinja2 is not installed."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        """Piece of HTML; None tells the notebook to take the text."""
        # Reports stand above; only a notebook needs them.
        shown: str | None = import_module("levcore.reports.notebook").notebook_html(self)
        return shown
