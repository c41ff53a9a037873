"""Errors in the words of the command line: an argument of a Python function is the option that gives it."""

import argparse
import re
from collections.abc import Callable

from levcore.errors import LevcoreError

__all__ = ["OPTIONS", "in_words_of", "remedies"]

OPTIONS: dict[str, tuple[str, ...]] = {
    "columns": ("column",),
    "funding_a_day": ("funding",),
    "gaps": ("hold_gaps",),
    "positions": ("reply",),
    "rules": ("set",),
    "wallet_balance": ("accounts", "wallet"),
}
"""Options by argument, where the command has none of the argument's own name; the first that it has."""

REPLACED = re.compile(r"(?:state it with )?policy\.replace\((\w+)=(\(\)|[^()]*)\)")
FEES = re.compile(r"(?:choose it with )?policy\.with_fees(?:\('regular'\))?")
GIVEN = re.compile(r"\b([a-z_]+)=('[^']*'|\{[^}]*\}|[\w.]*)")


def remedies(text: str) -> str:
    """Text whose remedies are options where they were methods of a policy; any other text as it is."""
    text = REPLACED.sub(_stated, FEES.sub("--fees regular", text))
    return text.replace("policy.with_instruments", "--instruments FILE")


def in_words_of(command: argparse.ArgumentParser, error: LevcoreError) -> LevcoreError:
    """Error that names the command's options and operands where it named arguments.

    Parameters
    ----------
    command : ArgumentParser
    error : LevcoreError
        Is changed: nobody sees it any more but the user.
    """
    actions = {action.dest: action for action in command._actions}

    def action_of(argument: str) -> argparse.Action | None:
        named = (argument, *OPTIONS.get(argument, ()))
        return next((actions[name] for name in named if name in actions), None)

    def given(found: re.Match[str]) -> str:
        action = action_of(found[1])
        return found[0] if action is None else _typed(action, found[2].strip("'"))

    rules: list[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]] = [(GIVEN, given)]
    if "set" in actions:
        rules.insert(0, (REPLACED, _stated))
    if "fees" in actions:
        rules.insert(0, (FEES, "--fees regular"))
    action = action_of(error.argument)
    if action is not None:
        error.argument = _name(action)
    for pattern, words in rules:
        error.rule, error.expected = (pattern.sub(words, text) for text in (error.rule, error.expected))
    return error


def _stated(found: re.Match[str]) -> str:
    value = "VALUE" if found[2] == "..." else found[2].strip("'")
    return f"--set {found[1]}={value}"


def _name(action: argparse.Action) -> str:
    if action.option_strings:
        return action.option_strings[-1]
    return action.metavar if isinstance(action.metavar, str) else action.dest


def _typed(action: argparse.Action, value: str) -> str:
    """What is typed for an argument with a value."""
    if action.nargs == 0 or not action.option_strings or not value:
        return _name(action)
    if value.startswith("{"):  # a mapping: the option says what a pair looks like
        value = str(action.metavar)
    spelled = value.replace("_", "-")
    return f"{_name(action)} {spelled if action.choices and spelled in action.choices else value}"
