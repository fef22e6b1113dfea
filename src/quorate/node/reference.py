"""The reference of a node's HTTP API, written from a node that answers it.

python -m quorate.node.reference > docs/reference/api.md
"""

import asyncio
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from quorate.node import home as homes
from quorate.node.api import make_app
from quorate.node.node import running
from quorate.node.store import Store
from quorate.studies.group import Group

HEADER = """# The HTTP API of a node

Written by `python -m quorate.node.reference` from the API itself.

A node serves it to its own staff on the Unix socket `api.sock` in its folder, which only the
operator can open; the commands and the console are clients of it. Bodies and answers are JSON, but
for files, and for progress, which is server-sent events. An error is a `ProblemView` with a status
of 400 and above. The version is the software's: client and node are of one release.
"""


def markdown() -> str:
    """Return the reference as Markdown: the endpoints, then what they take and answer."""
    document = asyncio.run(_openapi())
    return "\n".join([HEADER, *_endpoints(document["paths"]), *_models(document)])


async def _openapi() -> dict[str, Any]:
    """Return the OpenAPI document of a node, one of two members, that talks to nobody."""
    with tempfile.TemporaryDirectory(prefix="q-") as name:
        folder = Path(name)
        one, other = (homes.create(folder / n, n, _free()) for n in ("one", "other"))
        one.join(Group("reference", (one.member(), other.member())))
        store = Store(one.database)
        try:
            async with running(one, store, lambda: datetime(2027, 1, 1, tzinfo=UTC)) as node:
                return make_app(node, lambda: None).openapi()
        finally:
            store.close()


def _free() -> str:
    """Return an address at which nothing listens now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{one.getsockname()[1]}"


def _endpoints(paths: Mapping[str, Any]) -> Iterator[str]:
    yield "## Endpoints\n\n| | takes | answers |\n|---|---|---|"
    for path, methods in sorted(paths.items()):
        for method, said in methods.items():
            asked = [f"`{p['name']}`" for p in said.get("parameters", ()) if p["in"] == "query"]
            body = said.get("requestBody", {}).get("content", {})
            takes = ", ".join([*asked, *(_type(one["schema"]) for one in body.values())])
            content = said["responses"].get("200", {}).get("content", {})
            gives = ", ".join(_type(one.get("schema", {})) for one in content.values())
            yield f"| `{method.upper()} {path}` | {takes} | {gives} |"
    yield ""


def _models(document: Mapping[str, Any]) -> Iterator[str]:
    yield "## What they take and answer\n"
    for name, model in sorted(document["components"]["schemas"].items()):
        if name.endswith("ValidationError"):
            continue  # the framework's, which this API answers as a `ProblemView`
        yield f"### {name}\n"
        if said := model.get("description", "").strip():
            yield f"{said}\n"
        yield "| field | type |\n|---|---|"
        for field, schema in model.get("properties", {}).items():
            yield f"| `{field}` | {_type(schema)} |"
        yield ""


def _type(schema: Mapping[str, Any]) -> str:
    """Return a JSON schema in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(map(_type, schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{one}`" for one in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        parts = schema.get("prefixItems") or [schema.get("items", {})]
        return f"list of {', '.join(map(_type, parts))}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])}"
    return str(schema.get("type", "a file, or events"))


if __name__ == "__main__":
    sys.stdout.write(markdown())
