"""Dot plots as SVG."""

from dataclasses import dataclass

from levcore.reports.charts.canvas import Canvas, shortened, text_width
from levcore.reports.charts.model import Dots, Figure, Group, Lane, Mark
from levcore.reports.charts.ticks import nice_ticks

__all__ = ["draw_dots"]

LANE, GAP, TOP = 16, 12, 44
NOTES_ROOM = 150.0


@dataclass(frozen=True, slots=True)
class _Axis:
    """Horizontal axis, what it measures from in the middle."""

    left: float
    right: float
    limit: float

    def x(self, place: float) -> float:
        """Where a place on the axis is drawn."""
        return (self.left + self.right) / 2 + place / self.limit * (self.right - self.left) / 2


def draw_dots(figure: Figure, drawing: Dots) -> Canvas:
    """Draw groups of lanes below each other, over one axis."""
    heights = [LANE * len(group.lanes) for group in drawing.groups]
    canvas = Canvas(figure, TOP + sum(height + GAP for height in heights) + 26)
    names = 24 + max(text_width(shortened(word)) for group in drawing.groups for word in group.words)
    lanes = names + 26 + max(text_width(lane.name) for group in drawing.groups for lane in group.lanes)
    notes = 20 + max(
        (text_width(shortened(note)) for group in drawing.groups for note in group.notes), default=0
    )
    axis = _Axis(lanes, canvas.width - max(NOTES_ROOM, notes), drawing.limit)
    tops = [TOP + sum(height + GAP for height in heights[:number]) for number in range(len(heights))]
    for y, height in zip(tops, heights, strict=True):
        canvas.rect(0, y - GAP / 2 + 2, canvas.width, height + GAP - 4, "soft")
    _draw_axis(canvas, axis, drawing)
    for group, y, height in zip(drawing.groups, tops, heights, strict=True):
        _draw_words(canvas, group, y, height)
        _draw_ranges(canvas, axis, group, y, height)
        for number, lane in enumerate(group.lanes):
            _draw_lane(canvas, axis, lane, y + LANE * (number + 0.5), names)
    return canvas


def _draw_axis(canvas: Canvas, axis: _Axis, drawing: Dots) -> None:
    bottom, limit = canvas.height - 24, 100 * axis.limit
    for tick in nice_ticks(0.0, limit, 4):
        for side in (-1, 1) if tick else (1,):
            if tick <= limit:
                x = axis.x(side * tick / 100)
                canvas.line(x, TOP - 8, x, bottom)
                text = f"{side * tick:+g} %".replace("-", "−") if tick else drawing.middle
                canvas.text(x, bottom + 16, text, "middle")
    middle = axis.x(0.0)
    canvas.line(middle, TOP - 8, middle, bottom, "muted", 1.5)
    canvas.text(middle - 12, TOP - 26, f"◂ {drawing.left}", "end")
    canvas.text(middle + 12, TOP - 26, f"{drawing.right} ▸")
    canvas.text(canvas.width, TOP - 26, drawing.notes, "end")


def _draw_words(canvas: Canvas, group: Group, y: float, height: float) -> None:
    room = max(1, int(height // LANE))
    for number, word in enumerate(group.words[:room]):
        colour = "ink" if number == 0 else "muted"
        canvas.text(6, y + 12 + number * LANE, shortened(word), colour=colour, bold=number == 0)
    for number, note in enumerate(group.notes[:room]):
        colour = "ink" if number == 0 else "muted"
        canvas.text(canvas.width - 6, y + 12 + number * LANE, shortened(note), "end", colour)


def _draw_ranges(canvas: Canvas, axis: _Axis, group: Group, y: float, height: float) -> None:
    """Shade a group from its first mark on the axis to its last, each kind of mark by itself."""
    for is_below in (True, False):
        marks = [mark for lane in group.lanes for mark in lane.marks if mark.is_below == is_below]
        places = [mark.place for mark in marks if abs(mark.place) <= axis.limit]
        if places:
            left, right = axis.x(min(places)), axis.x(max(places))
            canvas.rect(left, y, right - left, height, "grid")


def _draw_lane(canvas: Canvas, axis: _Axis, lane: Lane, y: float, left: float) -> None:
    canvas.mark(lane.sign.shape, left + 6, y, lane.sign.colour)
    canvas.text(left + 16, y + 4, lane.name, colour="ink")
    for mark in lane.marks:
        _draw_mark(canvas, axis, lane, mark, y)
    if not lane.marks:
        outwards = "end" if lane.side < 0 else "start"
        inwards = "start" if lane.side < 0 else "end"
        edge = axis.left if lane.side < 0 else axis.right
        x, anchor = (edge, inwards) if lane.at_edge else (axis.x(0.0) + 12 * lane.side, outwards)
        canvas.text(x, y + 4, lane.remark, anchor)


def _draw_mark(canvas: Canvas, axis: _Axis, lane: Lane, mark: Mark, y: float) -> None:
    outwards = -1 if mark.place < 0 else 1
    if abs(mark.place) > axis.limit:
        x = axis.x(outwards * axis.limit)
        arrow = "to the left" if outwards < 0 else "to the right"
        canvas.mark(arrow, x, y, lane.sign.colour, mark.told)
        canvas.text(x - 12 * outwards, y + 4, mark.text, "start" if outwards < 0 else "end", "ink")
        return
    x = axis.x(mark.place)
    canvas.mark(lane.sign.shape, x, y, lane.sign.colour, mark.told)
    # Beside the mark on its outer side, but for want of room there.
    room = x - axis.left if outwards < 0 else axis.right - x
    if room < 12 + text_width(mark.text):
        outwards = -outwards
    canvas.text(x + 10 * outwards, y + 4, mark.text, "end" if outwards < 0 else "start", "ink")
