"""Pages as one HTML file each: no script, nothing loaded from anywhere, printable, light or dark.

Everything goes through the templates, which escape it; Jinja2 is the extra ``report``.
"""

from functools import cache
from pathlib import Path
from typing import Any

from levcore._levcore import __version__
from levcore.errors import InputError
from levcore.reports.charts.colours import DARK, LIGHT, state_colour
from levcore.reports.charts.svg import svg
from levcore.reports.page import Page

__all__ = ["fragment", "page_html", "template_library"]

ROOM = Path(__file__).parent


def page_html(page: Page) -> str:
    """Text of the HTML file of a page; the same page gives the same bytes.

    Raises
    ------
    InputError
        Where Jinja2 is not installed.
    """
    return fragment("page.html", page=page)


def fragment(template: str, **shown: Any) -> str:
    """Piece of HTML by one of the templates, which escapes what is shown.

    Raises
    ------
    InputError
        Where Jinja2 is not installed.
    """
    return str(_environment().get_template(template).render(**shown))


def template_library(argument: str = "path") -> Any:
    """Return the module ``jinja2``, which `argument` asks for.

    Raises
    ------
    InputError
        Where it is not installed: says which extra brings it.
    """
    try:
        import jinja2
    except ImportError:
        remedy = 'pip install "levcore[report]", or the report as text'
        raise InputError(argument, "HTML reports need Jinja2", remedy, "no module jinja2") from None
    return jinja2


@cache
def _environment() -> Any:
    library = template_library()
    environment = library.Environment(
        loader=library.FileSystemLoader(ROOM / "templates"),
        autoescape=True,
        undefined=library.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {
        "version": __version__,
        "light": LIGHT,
        "dark": DARK,
        # The project's own style sheet and drawings are the only text that is not escaped.
        "style": library.utils.markupsafe.Markup((ROOM / "report.css").read_text(encoding="utf-8")),
        "drawing": lambda figure: library.utils.markupsafe.Markup(svg(figure)),
        "state_colour": state_colour,
    }
    return environment
