"""Write the reference pages from the code: settings, commands, endpoints, SQL functions, errors, client.

``python docs/generate.py`` writes them; a test compares them with the committed ones, so that what is not
documented fails.
"""

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

import click
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from awe.cli import COMMANDS, load_command
from awe.client import Client, Job, connect, positions
from awe.client.history import History
from awe.client.picture import show
from awe.client.samp import broadcast
from awe.core.science.simulation import PUBLISHED
from awe.core.sql import DIALECTS, FUNCTIONS, Function
from awe.errors import AweError
from awe.settings import ClientSettings, Settings
from awe.settings.login import (
    KeystoneSettings,
    LdapSettings,
    LoginProviderSettings,
    OidcSettings,
    OtherSettings,
    Providers,
)
from awe.web import ROUTES
from awe.web.api import router

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
NOTE = "<!-- written by docs/generate.py from the code: change the code, then run `make docs` -->\n\n"


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in lines
    )


def settings() -> str:
    """Return the page of settings."""
    rows = list(_fields(Settings, "", "AWE_"))
    client = list(_fields(ClientSettings, "", "AWE_"))
    head = ("setting", "environment", "default", "meaning")
    return (
        "# Settings\n\nThe environment wins over `awe.toml` in the data folder, which wins over the default.\n\n"
        + table(head, rows)
        + "\n\n## Of the client and the command line\n\n"
        + table(head, client)
    )


def _fields(model: type[BaseModel], prefix: str, variable: str) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        each = get_args(kind)[1] if get_origin(kind) is dict else None
        if inspect.isclass(kind) and issubclass(kind, BaseModel):
            yield from _fields(kind, f"{prefix}{name}.", f"{variable}{name.upper()}__")
        elif kind == Providers:
            yield f"`{prefix}{name}`", "", "", field.description or ""
            yield from _providers(f"{prefix}{name}.NAME.", f"{variable}{name.upper()}__NAME__")
        elif inspect.isclass(each) and issubclass(each, BaseModel):
            yield from _fields(each, f"{prefix}{name}.NAME.", f"{variable}{name.upper()}__NAME__")
        else:
            default = (
                ""
                if field.default in (None, "", (), PydanticUndefined, SecretStr(""))
                else f"`{field.default}`"
            )
            yield f"`{prefix}{name}`", f"`{variable}{name.upper()}`", default, field.description or ""


def _providers(prefix: str, variable: str) -> Iterator[tuple[str, ...]]:
    """Yield what a provider of each kind is set by; what all have, once."""
    common = set(LoginProviderSettings.model_fields)
    yield from _fields(LoginProviderSettings, prefix, variable)
    for kind in (LdapSettings, KeystoneSettings, OidcSettings, OtherSettings):
        title = kind.__name__.removesuffix("Settings").lower()
        for row in _fields(kind, prefix, variable):
            if row[0].strip("`").removeprefix(prefix) not in common:
                yield *row[:3], f"({title}) {row[3]}"


def commands() -> str:
    """Return the page of commands: each one's own help."""
    parts = ["# Commands\n"]
    for name in COMMANDS:
        parts += _help(load_command(name), f"awe {name}")
    return "\n".join(parts)


def _help(command: click.Command, path: str) -> Iterator[str]:
    context = click.Context(
        command,
        info_name=path,
        max_content_width=100,
        terminal_width=100,
        help_option_names=["-h", "--help"],  # as under `awe`
    )
    yield f"## {path}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None:
                yield from _help(inner, f"{path} {name}")


def endpoints() -> str:
    """Return the page of endpoints: the route table, and the addresses of the JSON API."""
    protocols = [(f"`{e.path}`", e.methods, _first(e.handler)) for e in ROUTES]
    document = get_openapi(title="awe", version="", routes=router.routes)
    api = [
        (f"`{path}`", " ".join(verb.upper() for verb in verbs if verb != "head"), _sentence(verbs))
        for path, verbs in document["paths"].items()
    ]
    head = ("address", "methods", "what it is")
    return (
        "# Endpoints\n\nGET brings HEAD with it. The parameters of each stand in `/api/docs` of a running service.\n\n"
        + table(head, protocols)
        + "\n\n## The JSON API\n\n"
        + table(head, api)
    )


def _sentence(verbs: Mapping[str, Any]) -> str:
    return str(next(iter(verbs.values())).get("description", "")).split("\n\n")[0].replace("\n", " ")


def functions() -> str:
    """Return the page of SQL functions: the compiler's closed table."""
    rows = []
    for function in sorted(FUNCTIONS.values(), key=lambda f: f.name.casefold()):
        spoken: dict[str, list[str]] = {}
        for dialect in DIALECTS:
            if dialect in function.names:
                spoken.setdefault(_call(function, dialect), []).append(dialect)
        rows += [(f"`{call}`", ", ".join(dialects), function.doc) for call, dialects in spoken.items()]
    return (
        "# SQL functions\n\nThe list is closed: nothing else can be called. Brackets mean that an argument may be "
        "left out, dots that the last may be repeated. Tables bring functions of their own (`[[functions]]` in their "
        "describe file).\n\n" + table(("function", "dialects", "meaning"), rows)
    )


def _call(function: Function, dialect: str) -> str:
    given = list(function.parameters)
    must, may = given[: function.required], given[function.required :]
    text = ", ".join(must) + "".join(f"[, {kind}]" if must else f"[{kind}]" for kind in may)
    text += ", ..." if function.variadic else ""
    return " or ".join(f"{name}({text})" for name in function.names[dialect])


def errors() -> str:
    """Return the page of error codes: the tree."""
    rows = []

    def visit(kind: type[AweError], depth: int) -> None:
        rows.append((f"{'· ' * depth}`{kind.__name__}`", f"`{kind.code}`", str(kind.status), _first(kind)))
        for child in sorted(kind.__subclasses__(), key=lambda c: c.__name__):
            visit(child, depth + 1)

    visit(AweError, 0)
    return (
        "# Errors\n\nEvery error has a stable code and HTTP status; the client raises the class that the service "
        "raised.\n\n" + table(("class", "code", "status", "meaning"), rows)
    )


def client() -> str:
    """Return the page of the Python client."""
    parts = ["# The Python client\n"]
    members = [(f"awe.{f.__name__}", f) for f in (connect, show, positions, broadcast)]
    members += [
        (f"archive.{name}", getattr(Client, name))
        for name in sorted(dir(Client))
        if not name.startswith("_") and inspect.isfunction(getattr(Client, name))
    ]
    members += [
        (f"{shown}.{name}", getattr(kind, name))
        for shown, kind in (("archive.history", History), ("job", Job))
        for name in sorted(dir(kind))
        if not name.startswith("_") and inspect.isfunction(getattr(kind, name))
    ]
    parts += [_described(name, member) for name, member in members]
    return "\n".join(parts)


def _described(name: str, member: Callable[..., object]) -> str:
    signature = inspect.signature(member)
    shown = [p for p in signature.parameters.values() if p.name != "self"]
    text = str(signature.replace(parameters=shown)).replace("awe.client._client.", "")
    return f"## {name}\n\n```text\n{name}{text}\n\n{inspect.getdoc(member)}\n```\n"


def _first(documented: object) -> str:
    return (inspect.getdoc(documented) or "").split("\n\n")[0].replace("\n", " ")


def package_map() -> str:
    """Return the page that shows which package imports which."""
    sys.path.insert(0, str(ROOT / "tests"))
    from test_architecture import ring_map  # noqa: PLC0415  # the test that asserts it prints it

    return (
        "# The map\n\nWhich package imports which, as the architecture test reads it from the code.\n\n"
        + ring_map()
    )


def demonstration_sky() -> str:
    """Return the page of the numbers that the simulation follows."""
    rows = [
        (n.quantity, f"{n.value:g} {n.unit}".strip(), n.reference, n.standing, n.remark) for n in PUBLISHED
    ]
    head = ("quantity", "value", "reference", "standing", "remark")
    return "# The numbers of the demonstration sky\n\n" + table(head, rows)


PAGES: dict[str, Callable[[], str]] = {
    "settings": settings,
    "commands": commands,
    "endpoints": endpoints,
    "sql-functions": functions,
    "errors": errors,
    "client": client,
    "demonstration-sky": demonstration_sky,
    "map": package_map,
}


def pages() -> dict[Path, str]:
    """Return every reference page by its path."""
    return {REFERENCE / f"{name}.md": NOTE + make().rstrip() + "\n" for name, make in PAGES.items()}


if __name__ == "__main__":
    REFERENCE.mkdir(exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
