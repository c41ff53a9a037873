"""Replies that are pages of one answer: several are read as one account, and one that goes on says so."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from levcore.errors import FileFormatError
from levcore.venues.positions.reply import AccountReply, BorrowedPosition, Reply, VenuePosition

__all__ = ["joined", "pages_of", "read_account_pages", "read_pages"]

_Position = TypeVar("_Position", VenuePosition, BorrowedPosition)
LISTS = ("result", "list", "data", "assets")
"""Where a reply holds its rows."""
CURSORS = ("nextPageCursor", "next_page_cursor", "cursor")


def pages_of(data: Any) -> Sequence[Any]:
    """Replies of a list of replies, else none: the rows of one reply hold no list of rows themselves."""
    is_list = isinstance(data, (list, tuple)) and bool(data)
    return data if is_list and all(_is_reply(each) for each in data) else ()


def _is_reply(data: Any) -> bool:
    if not isinstance(data, Mapping):
        return False
    result = data.get("result")
    if isinstance(result, Mapping):
        return isinstance(result.get("list"), (list, tuple))
    return any(isinstance(data.get(name), (list, tuple)) for name in LISTS)


def read_pages(data: Any, read: Callable[[Any, str], Reply], file: str) -> Reply:
    """Read a reply, or the pages of one, with a note where no page is the last.

    Parameters
    ----------
    data : parsed JSON
    read : callable
        Of the data of one reply and the name of it in errors.
    file : str

    Raises
    ------
    FileFormatError
        As `levcore.venues.positions.reply.read_reply`; also for a page that is given twice, and for a
        position that stands on two: it moved from one to the other between the requests.
    """
    pages = pages_of(data)
    if not pages:
        reply = read(data, file)
    else:
        _refuse_repeated_pages(pages, file)
        replies = [read(page, f"{file}[{place}]") for place, page in enumerate(pages)]
        _refuse_repeated(replies, file)
        reply = joined(replies)
    cursors = [_cursor(page) for page in pages or [data]]
    if not all(cursors):
        return reply
    rows = len(reply.positions) + len(reply.borrowed) + len(reply.left_out) + reply.flat
    note = (
        f"{cursors[-1]} is set beside {rows} row{'s' * (rows != 1)}: more positions may follow, which are not"
        " read; ask again with cursor set to it until it is empty or no row comes, and give all replies as"
        " one list"
    )
    return replace(reply, notes=(*reply.notes, note))


def read_account_pages(
    data: Any, read: Callable[[Any, str], Mapping[str, AccountReply]], file: str
) -> Mapping[str, AccountReply]:
    """Read a reply about an account, or several that are each about some of its currencies.

    Raises
    ------
    FileFormatError
        As `levcore.venues.positions.reply.read_account`; also for a page that is given twice, and for a
        currency that stands on two.
    """
    pages = pages_of(data)
    if not pages:
        return read(data, file)
    _refuse_repeated_pages(pages, file)
    found: dict[str, AccountReply] = {}
    for place, page in enumerate(pages):
        of_page = read(page, f"{file}[{place}]")
        if repeated := sorted(found.keys() & of_page):
            expected = "pages about other currencies"
            raise FileFormatError(
                file, "must hold each wallet once", expected, f"{repeated[0]} again on page {place}"
            )
        found |= of_page
    return found


def _refuse_repeated_pages(pages: Sequence[Any], file: str) -> None:
    for place, page in enumerate(pages):
        if page in pages[:place]:
            found = f"page {place} is page {pages.index(page)}"
            raise FileFormatError(file, "must hold each page once", found=found)


def _refuse_repeated(replies: Sequence[Reply], file: str) -> None:
    before: set[tuple[str, str, str, bool]] = set()
    for page, reply in enumerate(replies):
        # Of one page the reader of its source knows what may stand twice.
        of_page = {(one.policy, one.instrument, one.margin_mode, one.quantity > 0) for one in reply.positions}
        if repeated := before & of_page:
            _, instrument, margin_mode, is_long = min(repeated)
            found = f"{margin_mode} {'long' if is_long else 'short'} {instrument} again on page {page}"
            expected = "pages of one moment: ask for all of them again"
            raise FileFormatError(file, "must hold each position once", expected, found)
        before |= of_page


def joined(replies: Sequence[Reply]) -> Reply:
    """Pages as one reply; every place is told with its page."""
    accounts = {currency: one for reply in replies for currency, one in reply.accounts.items()}
    return replace(
        replies[0],
        positions=tuple(
            _placed(page, each) for page, reply in enumerate(replies) for each in reply.positions
        ),
        borrowed=tuple(_placed(page, each) for page, reply in enumerate(replies) for each in reply.borrowed),
        left_out=tuple(f"[{page}].{line}" for page, reply in enumerate(replies) for line in reply.left_out),
        accounts=accounts,
        flat=sum(reply.flat for reply in replies),
        dated=max(reply.dated for reply in replies),
    )


def _placed(page: int, position: _Position) -> _Position:
    return replace(position, place=f"[{page}].{position.place}")


def _cursor(page: Any) -> str:
    """Where a reply says that it goes on; empty where it does not."""
    for place, fields in _heads(page):
        for name in CURSORS:
            if isinstance(fields.get(name), str) and fields[name]:
                return f"{place}{name}"
    return ""


def _heads(page: Any) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    """Objects that may hold a cursor: the reply, its result, and the rows in which ccxt repeats it."""
    if isinstance(page, Mapping):
        yield "", page
        if isinstance(page.get("result"), Mapping):
            yield "result.", page["result"]
    elif isinstance(page, (list, tuple)):
        for place, row in enumerate(page):
            if isinstance(row, Mapping) and isinstance(row.get("info"), Mapping):
                yield f"[{place}].info.", row["info"]
