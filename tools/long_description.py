"""Write what package indexes show of the project, ``python/README.md``, from ``README.md``.

    python tools/long_description.py

An index has none of the repository's files, so that a relative link leads nowhere. Where pyproject.toml names
the repository, as ``Source`` under ``[project.urls]``, links and pictures are absolute; until then links are
paths, and pictures are left out.
"""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "python" / "README.md"
PICTURE = re.compile(r"!\[([^]]*)\]\((?!https?:)([^)]+)\)")
LINK = re.compile(r"(?<!!)\[([^]]+)\]\((?!https?:)([^)#]+)(#[^)]*)?\)")


def long_description(readme: str, source: str = "") -> str:
    """README with links that work elsewhere: absolute ones, or paths where the repository has no address."""
    if source:
        readme = PICTURE.sub(rf"![\1]({source}/raw/HEAD/\2)", readme)
        return LINK.sub(rf"[\1]({source}/blob/HEAD/\2\3)", readme)
    blocks = [block for block in readme.split("\n\n") if not PICTURE.search(block)]
    return LINK.sub(_path, "\n\n".join(blocks))


def _path(found: re.Match[str]) -> str:
    words, path, _ = found.groups()
    return f"`{path}`" if words == path else f"{words} (`{path}`)"


def source() -> str:
    """Address of the repository, if pyproject.toml has one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    address: str = project.get("urls", {}).get("Source", "")
    return address


def main() -> None:
    """Write the page."""
    text = long_description((ROOT / "README.md").read_text(encoding="utf-8"), source())
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
