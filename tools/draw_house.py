"""Draw the rooms of the package and the imports between them: ``docs/house.svg``, from the code.

    python tools/draw_house.py

Rooms stand on the floors of ``[tool.importlinter]`` in pyproject.toml; each arrow is so many imports.
"""

import tomllib
from pathlib import Path
from xml.etree import ElementTree

import grimp

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "house.svg"
WIDTH, FLOOR, HEIGHT, MARGIN = 1080, 96, 44, 20
WIDEST, GAP = 150, 12


def floors() -> list[list[str]]:
    """Rooms a floor, the highest first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    return [[room.strip() for room in layer.split("|")] for layer in layers]


def imports() -> dict[tuple[str, str], int]:
    """Number of imports from one room into another."""
    graph = grimp.build_graph("levcore", cache_dir=None)
    rooms = [room for floor in floors() for room in floor]
    found: dict[tuple[str, str], int] = {}
    for upper in rooms:
        for module in {upper, *graph.find_descendants(upper)}:
            for imported in graph.find_modules_directly_imported_by(module):
                lower = next((room for room in rooms if f"{imported}.".startswith(f"{room}.")), upper)
                if lower != upper:
                    found[upper, lower] = found.get((upper, lower), 0) + 1
    return found


def picture() -> str:
    """Return the drawing as SVG."""
    rows = floors()
    height = len(rows) * FLOOR + MARGIN
    size = {"viewBox": f"0 0 {WIDTH} {height}", "role": "img"}
    svg = ElementTree.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size})
    ElementTree.SubElement(svg, "title").text = "Rooms of levcore, and which imports which"
    style = ElementTree.SubElement(svg, "style")
    style.text = (
        "rect{fill:#f4f6f8;stroke:#46617c} text{font:14px sans-serif;text-anchor:middle;fill:#1b2733}"
        " .paper{fill:#fff;stroke:none} path{fill:none;stroke:#7b93aa;stroke-opacity:.55}"
    )
    # Paper of its own, so that it can be read where the page around it is dark.
    ElementTree.SubElement(svg, "rect", {"class": "paper", "width": str(WIDTH), "height": str(height)})
    places = {}
    for floor, rooms in enumerate(rows):
        for number, room in enumerate(rooms):
            places[room] = (WIDTH * (number + 0.5) / len(rooms), MARGIN + floor * FLOOR)
    width = min(WIDEST, WIDTH / max(map(len, rows)) - GAP)
    for (upper, lower), count in sorted(imports().items()):
        (x, y), (to_x, to_y) = places[upper], places[lower]
        bend = (to_y - y) / 2
        start = f"M{x:.0f} {y + HEIGHT} C{x:.0f} {y + HEIGHT + bend:.0f}"
        line = {"d": f"{start} {to_x:.0f} {to_y - bend:.0f} {to_x:.0f} {to_y}"}
        arrow = ElementTree.SubElement(svg, "path", {**line, "stroke-width": f"{min(6, 1 + count / 12):.1f}"})
        ElementTree.SubElement(arrow, "title").text = f"{upper} imports {lower}: {count}"
    for room, (x, y) in places.items():
        corner = {"x": f"{x - width / 2:.0f}", "y": str(y), "width": f"{width:.0f}", "height": str(HEIGHT)}
        ElementTree.SubElement(svg, "rect", {**corner, "rx": "6"})
        name = ElementTree.SubElement(svg, "text", {"x": f"{x:.0f}", "y": str(y + 27)})
        name.text = room.removeprefix("levcore.")
    ElementTree.indent(svg)
    return ElementTree.tostring(svg, encoding="unicode") + "\n"


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
