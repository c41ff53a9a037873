"""Write ``python/levcore/error_codes.txt`` and ``docs/errors.md`` from the places that raise.

    python tools/error_catalogue.py

Every rule that an exception of levcore names is a line of the catalogue: its code, and its words with ``{}``
for what differs from case to case. A code that stands there stays; a rule that is new gets one of its words.
"""

import ast
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from levcore import errors
from levcore.errors import LevcoreError, catalogue_file, family_of

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "python" / "levcore"
PAGE = ROOT / "docs" / "errors.md"
CLASSES = {
    name: found
    for name in errors.__all__
    if isinstance(found := getattr(errors, name), type) and issubclass(found, LevcoreError)
}
PLACE = {"TierError": 2}
"""Where the rule stands among the arguments, if not second."""
LONGEST = 60

HEAD = """# Error codes

Every exception of levcore has a `code`: what was broken, for programs that must tell one from another. The
words are those of `rule`, `{}` stands for what differs from case to case. Codes are frozen: new ones are
added, none changes its meaning. This page and the catalogue are written from the places that raise, by
`python tools/error_catalogue.py`; a test holds them together.
"""

Rule = tuple[str, str]
"""Class and words."""


def texts(node: ast.expr, function: ast.AST) -> Iterator[str]:
    """Words that an expression may have; of a name, those that its function assigns to it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body, function)
        yield from texts(node.orelse, function)
    elif isinstance(node, ast.Name):
        for each in ast.walk(function):
            if isinstance(each, ast.Assign) and any(
                isinstance(t, ast.Name) and t.id == node.id for t in each.targets
            ):
                yield from texts(each.value, function)


def called(node: ast.Call) -> str:
    """Last name of what is called."""
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def calls_of(function: ast.AST, names: Collection[str]) -> list[ast.Call]:
    """Calls of any of these."""
    return [node for node in ast.walk(function) if isinstance(node, ast.Call) and called(node) in names]


def rules() -> set[Rule]:
    """Rules of all places that raise, those of functions that are handed their rule included."""
    found: set[Rule] = set()
    makers: dict[str, tuple[str, int]] = {}
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))]
    functions = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for function in functions:
        parameters = [each.arg for each in function.args.args if each.arg not in ("self", "cls")]
        for call in (
            node for node in ast.walk(function) if isinstance(node, ast.Call) and called(node) in CLASSES
        ):
            place = PLACE.get(called(call), 1)
            if len(call.args) <= place:
                continue
            rule = call.args[place]
            found |= {(called(call), words) for words in texts(rule, function)}
            if isinstance(rule, ast.Name) and rule.id in parameters:
                makers[function.name] = (called(call), parameters.index(rule.id))
    for function in functions:
        for call in (
            node for node in ast.walk(function) if isinstance(node, ast.Call) and called(node) in makers
        ):
            name, place = makers[called(call)]
            if len(call.args) > place:
                found |= {(name, words) for words in texts(call.args[place], function)}
    binding = (ROOT / "rust" / "levcore-py" / "src" / "errors.rs").read_text(encoding="utf-8")
    # A clause has several words; a single one is an argument's name.
    found = {rule for rule in found if " " in rule[1].strip()}
    return found | {("InputError", words) for words in re.findall(r'"((?:must|is|are) [^"]+)"', binding)}


def code_of(rule: Rule, taken: set[str]) -> str:
    """Code of a rule that has none: the family of its class, and its words."""
    words = re.sub(r"[^a-z0-9]+", "-", rule[1].replace("{}", " ").lower()).strip("-")[:LONGEST].strip("-")
    code, number = f"{family_of(CLASSES[rule[0]])}.{words or 'rule'}", 2
    while code in taken:
        code, number = f"{family_of(CLASSES[rule[0]])}.{words}-{number}", number + 1
    return code


def catalogue() -> list[tuple[str, str, str]]:
    """Code, class and words, by code; what the file holds already keeps its code."""
    held = (
        [line.split("\t") for line in catalogue_file().read_text(encoding="utf-8").splitlines()]
        if catalogue_file().exists()
        else []
    )
    codes = {(name, words): code for code, name, words in held}
    for rule in sorted(rules() - codes.keys()):
        codes[rule] = code_of(rule, set(codes.values()))
    return sorted((code, *rule) for rule, code in codes.items())


def page(lines: list[tuple[str, str, str]]) -> str:
    """Page of the manual."""
    cell = [(code, name, words.replace("|", r"\|")) for code, name, words in lines]
    rows = [f"| `{code}` | `{name}` | {words} |" for code, name, words in cell]
    return "\n".join([HEAD, "| code | class | rule |", "| --- | --- | --- |", *rows]) + "\n"


def main() -> None:
    """Write both."""
    lines = catalogue()
    catalogue_file().write_text("".join("\t".join(line) + "\n" for line in lines), encoding="utf-8")
    PAGE.write_text(page(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
