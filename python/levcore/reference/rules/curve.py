"""The requirement of one leg as a function of its value."""

from dataclasses import dataclass

from levcore.reference.formulas import margin
from levcore.reference.kernel import charge
from levcore.reference.position import Position
from levcore.reference.rules.tables import Table

__all__ = ["Curve", "initial_margin_at"]


@dataclass(frozen=True, slots=True)
class Curve:
    """Margin as a convex function of the value: the largest of some lines, one line, or a parabola."""

    table: Table
    position: Position

    def touching(self, value: float) -> tuple[float, float]:
        """Rate and deduction of the line that touches the curve at a value."""
        growing = self.table.growing
        if growing is not None and growing.by_value:
            return growing.rate + 2.0 * growing.slope * value, growing.slope * value * value
        if growing is not None:
            return growing.rate_of(self.position.size, value), 0.0
        line, _ = charge(self.position, self.table, value)
        if line is None:
            raise AssertionError("a table that does not grow has lines")
        return line.rate, line.deduction if self.table.is_of_lines else 0.0

    def at(self, value: float) -> float:
        """Margin at a value."""
        return charge(self.position, self.table, value)[1]

    @property
    def is_smooth(self) -> bool:
        """Whether it is not made of lines alone."""
        return self.table.growing is not None and self.table.growing.by_value


def initial_margin_at(position: Position, initial: Table | None, from_table: bool, value: float) -> float:
    """Initial margin at a value: over the leverage, or by the table of the instrument."""
    if not from_table:
        return margin.initial_margin(value, position.leverage)
    return float("nan") if initial is None else charge(position, initial, value)[1]
