"""One key, in words, for who asked about it or changed it."""

from typing import TYPE_CHECKING

from quorate.cli.output import aligned, grouped

if TYPE_CHECKING:
    from quorate.node.quorum.views import KeyView


def whole(key: "KeyView") -> list[str]:
    operators = {h.name: h.operator for h in key.holders if h.operator != h.name}
    holders = ", ".join(
        f"{h.name} (run by {operators[h.name]})" if h.name in operators else h.name
        for h in key.holders
    )
    made = [
        ("key", grouped(key.public_key)),
        ("here", "this node keeps its share" if key.share else "this node keeps no share"),
    ]
    return [
        *aligned(
            [
                ("name", key.name),
                ("rule", f"{key.rule}, {_for(key)}{_follows(key)}"),
                *(
                    [("recovery", f"{key.recovery} give one member the whole key")]
                    * bool(key.recovery)
                ),
                *([("dealt by", ", ".join(key.dealers))] * bool(key.dealers)),
                ("state", f"{key.state}: {key.note}" if key.note else key.state),
                ("holders", holders),
                *([("witness", key.witnesses)] * bool(key.witnesses)),
                ("planned", f"by {key.proposer}, {key.created}"),
                *(made if key.public_key else []),
            ]
        ),
        *(f"{a.member} {_said(a.word)}: {a.reason}" for a in key.answers),
        *([f"warning  {key.warning}"] if key.warning else []),
        *_next(key),
    ]


def _for(key: "KeyView") -> str:
    return "a plain recipient of age" if key.purpose == "plain" else f"to {key.purpose}"


def why_not(key: "KeyView") -> str:
    return f"it is {key.state}, to {key.purpose}" if key.purpose != "plain" else "it is plain"


def _said(word: str) -> str:
    return "accepted" if word == "approve" else "declined"


def _next(key: "KeyView") -> list[str]:
    lines = [f"{', '.join(key.untold)} will hear of it when back"] if key.untold else []
    if key.state == "proposed":
        lines.append(f"waits for {', '.join(key.waits_for)}: quorate key approve {key.name}")
    elif key.state == "generating" and key.waits_for:
        lines.append(f"the nodes of {', '.join(key.waits_for)} have a step to take")
    elif key.state == "ready" and key.purpose == "sign":
        lines.append(f"next: quorate order propose FILE --key {key.name}")
    elif key.state == "ready" and key.purpose == "unlock":
        lines.append(f"next: quorate seal FILE --key {key.name}")
    elif key.state == "ready":
        lines.append(f"next: age -r {key.recipient} -o FILE.age FILE")
    return lines


def _follows(key: "KeyView") -> str:
    return f"; {key.follows} of the members, whoever they are" if key.follows else ""
