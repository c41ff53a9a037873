"""The caller's own policy from a file, in the form of the bundled ones."""

from os import PathLike
from pathlib import Path

from levcore.errors import UnknownPolicyError
from levcore.files.toml import read_toml
from levcore.rules.policy import MarginPolicy
from levcore.rules.policy_files import policies_of_text

__all__ = ["read_policy"]


def read_policy(path: str | PathLike[str], *, as_of: str = "") -> MarginPolicy:
    """Policy of a file such as levcore's own: ``[rules]``, what they rest on, and a ``[[versions]]`` a date.

    Parameters
    ----------
    path : path
        A TOML file as CONTRIBUTING.md describes it. Every rule stands in it, with its evidence or as
        ``"unknown"`` with the reason; one without a ``venue`` need not say what its rules rest on.
    as_of : str
        Date of a version; the newest by default.

    Returns
    -------
    MarginPolicy
        Its ``instruments`` may be a table of levcore's archive; `MarginPolicy.with_instruments` adds yours.

    Raises
    ------
    PolicyError, FileFormatError
        Where the file breaks a rule of such files, naming it.
    UnknownPolicyError
        Where it has no version of that date.
    OSError
        Where the file cannot be read.
    """
    text, said = read_toml(path)
    name = said.get("name", "")
    versions = policies_of_text(text, name if isinstance(name, str) and name else Path(path).stem)
    found = [each for each in versions if as_of in ("", each.as_of)]
    if not found:
        dates = ", ".join(each.as_of for each in versions)
        raise UnknownPolicyError("as_of", f"{path} has no such date", f"one of {dates}", repr(as_of))
    return found[-1]
