"""Objects that do not change after they are built."""

from typing import Any, ClassVar

from levcore.errors import ReadOnlyError

__all__ = ["Frozen"]


class Frozen:
    """Refuses to set or delete an attribute; `_fill` sets those of a new object.

    The class says in `_instead` what to do in place of an assignment.
    """

    __slots__ = ()

    _instead: ClassVar[str]

    def _fill(self, **fields: Any) -> None:
        """Set attributes of an object that nobody else holds yet, or whose memory is used again."""
        put = object.__setattr__
        for name, value in fields.items():
            put(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse.

        Raises
        ------
        ReadOnlyError
            Always.
        """
        raise ReadOnlyError(f"{type(self).__name__}.{name}", "cannot be set", self._instead)

    def __delattr__(self, name: str) -> None:
        """Refuse.

        Raises
        ------
        ReadOnlyError
            Always.
        """
        raise ReadOnlyError(f"{type(self).__name__}.{name}", "cannot be deleted", self._instead)

    def __setstate__(self, state: Any) -> None:
        """Take the attributes of a pickled or copied object."""
        for fields in state if isinstance(state, tuple) else (state,):
            self._fill(**(fields or {}))
