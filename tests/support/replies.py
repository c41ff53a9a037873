"""Recorded replies of venues in ``tests/data/replies``, each with source, date, and what came of its numbers.

``expected`` of an entry gives place and field of every number, its verdict and, where it is a rounding or a
difference, the cause. ``not_replies.json`` holds the published cases of these venues that are no reply.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from levcore.files.instruments import read_instruments
from levcore.reconciliation.reconcile import reconcile
from levcore.reconciliation.result import ReconciledNumber, Reconciliation, Verdict
from levcore.venues.tiers.read import read_tiers_file

FOLDER = Path(__file__).parents[1] / "data" / "replies"


def read_index() -> list[dict[str, Any]]:
    """Every reply with what it needs."""
    entries: list[dict[str, Any]] = json.loads((FOLDER / "index.json").read_text(encoding="utf-8"))
    return entries


def options_of(entry: dict[str, Any]) -> dict[str, Any]:
    """Arguments of `reconcile` beside the reply and its source."""
    options: dict[str, Any] = {"policy": entry.get("policy"), "rules": entry.get("rules")}
    if "instruments" in entry:
        options["instruments"] = read_instruments(FOLDER / entry["instruments"])
    if "tiers" in entry:
        options["tiers"] = read_tiers_file(FOLDER / entry["tiers"], entry["from"])
    if "account" in entry:
        options["account"] = FOLDER / entry["account"]
    return options


@cache
def reconciled(file: str) -> Reconciliation:
    """Result of a reply of the index, made once."""
    entry = next(each for each in read_index() if each["file"] == file)
    return reconcile(FOLDER / file, entry["from"], **options_of(entry))


def said(number: ReconciledNumber) -> str:
    """Verdict with its cause, as the index writes it."""
    told = number.verdict in (Verdict.ROUNDED, Verdict.DIFFERS)
    return f"{number.verdict.value}/{number.cause}" if told and number.cause else number.verdict.value
