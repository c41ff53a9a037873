"""Names of accounts are anybody's: what of them would steer a terminal is shown as its escape."""

import re

__all__ = ["in_one_cell", "shown"]

# Control characters other than the line end and the tab, and what turns or hides text: bidirectional marks,
# embeddings, overrides and isolates, separators of lines and paragraphs, zero-width characters, tags,
# surrogates.
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def shown(text: str) -> str:
    """Text with every character that would steer a terminal as its escape."""
    return _STEERING.sub(lambda found: ascii(found.group())[1:-1], text)


def in_one_cell(text: str) -> str:
    """The same for a cell of a table, whose rows a line end or a tab would forge."""
    return shown(text).replace("\n", "\\n").replace("\t", "\\t")
