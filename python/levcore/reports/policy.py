"""The policy of a report: its rules, what each rests on, its sources, and what nobody has published."""

from html import escape

from levcore.rules.policy import RULES, MarginPolicy

__all__ = ["plain_value", "policy_section"]

EVIDENCE = (
    "[V] recomputed from published numbers, [R] read in the venue's own text, [3P] read in a third party's"
    " copy, [D] derived, [caller] stated by the caller"
)


def policy_section(policy: MarginPolicy) -> str:
    """Section of the HTML report on `policy`."""
    return "\n".join(
        part
        for part in (
            "<h2>Policy</h2>",
            f"<p><strong>{escape(policy.title)}</strong> ({escape(policy.id)})</p>",
            f"<p>{escape(policy.notes)}</p>" if policy.notes else "",
            f"<p>Verified by: {escape(policy.verified_by)}</p>" if policy.verified_by else "",
            _instruments(policy),
            _rules(policy),
            _unknown(policy),
            _sources(policy),
        )
        if part
    )


def _instruments(policy: MarginPolicy) -> str:
    table = policy.instruments
    parts = [f"{len(table):,} instruments"]
    if table.as_of:
        parts.append(f"as of {table.as_of}")
    if table.source:
        parts.append(table.source)
    return f'<p class="note">Tier tables: {escape(", ".join(parts))}.</p>'


def _rules(policy: MarginPolicy) -> str:
    rows = "".join(
        f'<tr><td class="name">{rule.replace("_", " ")}</td><td>'
        f"{escape(plain_value(getattr(policy, rule)))}</td>"
        f"<td>{escape(policy.rests_on.about(rule))}</td></tr>"
        for rule in RULES
        if not rule.endswith("_inclusive")
    )
    heads = "<th>Rule</th><th>Value</th><th>Rests on</th>"
    return (
        f'<h3>Rules</h3>\n<p class="note">{escape(EVIDENCE)}.</p>\n'
        f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def plain_value(value: object) -> str:
    """Value of a rule in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return "not published" if value is None else str(value)


def _unknown(policy: MarginPolicy) -> str:
    if not policy.unknown:
        return "<h3>Unknown</h3>\n<p>Nothing: every rule of this policy is stated.</p>"
    items = "".join(
        f"<dt>{escape(rule.replace('_', ' '))}</dt><dd>{escape(why)}</dd>"
        for rule, why in policy.unknown.items()
    )
    return f'<h3>Unknown, and therefore refused where it is needed</h3>\n<dl class="words">{items}</dl>'


def _sources(policy: MarginPolicy) -> str:
    if not policy.sources:
        return ""
    items = []
    for source in policy.sources:
        title = escape(source.title)
        # Only what is certainly a web address becomes a link.
        if source.url.startswith(("https://", "http://")):
            title = f'<a href="{escape(source.url)}">{title}</a> {escape(source.url)}'
        dated = f", dated {escape(source.dated)}" if source.dated else ""
        items.append(f"<dt>[{escape(source.evidence)}]</dt><dd>{title}{dated}</dd>")
    return f'<h3>Sources</h3>\n<dl class="words">{"".join(items)}</dl>'
