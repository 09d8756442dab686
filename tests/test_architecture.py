"""The house of docs/explanation/architecture.md, asserted from the code's own imports.

Run as a script (``python tests/test_architecture.py``) it prints the map that the documentation
includes: each package, and the packages of awe that it imports.
"""

import ast
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

SRC = Path(__file__).resolve().parents[1] / "src"

# Each ring, and the rings it may import (besides itself).
RINGS: dict[str, frozenset[str]] = {
    "awe": frozenset({"errors"}),
    "errors": frozenset(),
    "settings": frozenset({"errors"}),
    "plugins": frozenset({"errors"}),
    "logs": frozenset({"settings"}),
    "core": frozenset({"errors", "settings"}),
    "services": frozenset({"errors", "settings", "plugins", "core"}),
    "platform": frozenset({"errors", "logs", "settings", "plugins", "core", "services"}),
    "web": frozenset({"errors", "settings", "core", "services", "platform", "awe"}),
    "client": frozenset({"errors", "settings", "core", "awe"}),
    "mast": frozenset({"errors", "client"}),
    "sciserver": frozenset({"errors", "settings", "client"}),
    "demo": frozenset({"errors", "core"}),
    "testing": frozenset({"errors", "settings", "core", "services", "platform", "demo"}),
    "cli": frozenset(
        {"errors", "logs", "settings", "core", "services", "platform", "web", "client", "demo", "awe"}
    ),
    "__main__": frozenset({"cli"}),
}

# Inside services, left is below right; a service imports only those before it.
SERVICES = (
    "system",
    "identity",
    "names",
    "space",
    "jobs",
    "history",
    "catalogs",
    "observations",
    "registry",
    "checks",
    "notebooks",
    "apps",
)

# Faces that do not know each other.
FACES = ("vo", "api", "compat", "oauth", "portal")

# One home per heavy dependency: where it may be imported (path prefixes below src/awe).
HOMES: dict[str, tuple[str, ...]] = {
    "sqlglot": ("core/sql/",),
    "h5py": ("core/tables/formats/hdf5.py",),
    "orjson": ("core/tables/formats/_digits",),
    "pybase64": ("core/tables/formats/_votable", "core/tables/formats/votable"),
    "lxml": ("core/vo/_xml.py", "core/tables/formats/_votable", "core/tables/formats/votable"),
    "cdshealpix": ("core/sky/",),
    "astropy": (
        "core/sky/_healpix.py",
        "core/sql/rules/_units.py",
        "core/tables/formats/",
        "core/tables/_words.py",
        "core/science/",
        "client/",
        "cli/_common.py",
        "mast",
        "demo",
        "testing/",
    ),
    "scipy": ("core/science/",),
    "specutils": ("core/science/spectra/_specutils.py", "client/spectra.py"),
    "PIL": ("core/science/",),
    "sqlalchemy": (
        "services/system/",
        "services/identity/stores/",
        "services/catalogs/store.py",
        "services/history/store.py",
        "services/catalogs/own/store.py",
        "services/jobs/store.py",
        "services/names/store.py",
        "services/observations/store.py",
        "services/registry/store.py",
    ),
    "alembic": ("services/system/",),
    "argon2": ("services/identity/",),
    "authlib": ("web/oauth/", "services/identity/backends/oidc.py"),
    "joserfc": ("services/identity/signing.py", "services/identity/backends/oidc.py"),
    "duckdb": ("services/catalogs/backends/duckdb",),
    "pyspark": ("services/catalogs/backends/spark",),
    "fastapi": ("web/",),
    "starlette": ("web/",),
    "uvicorn": ("web/",),
    "prometheus_client": ("web/http/_metrics.py",),
    "httpx": ("client/_transport.py", "client/_inprocess.py"),
    "matplotlib": ("client/",),
    "pandas": ("client/", "sciserver"),
    "fsspec": ("services/observations/objects.py",),
    "lsdb": ("client/in_place.py",),
    "IPython": ("client/magics.py",),
    "click": ("cli/",),
    "rich": ("cli/", "client/"),
    "pydantic_settings": ("settings/_tree.py",),
    "mocpy": ("core/sky/_moc_files.py", "client/coverage.py", "client/samp.py"),
    "pyvo": ("client/samp.py",),
    "pyongc": ("services/names/openngc.py",),
    "ephem": ("services/names/stars.py",),
    "urllib.request": ("services/names/sesame.py", "services/identity/backends/_http.py"),
    "ldap3": ("services/identity/backends/ldap.py",),
}

# `awe.connect("./folder")` runs the archive in the same process: the one import inside a function.
LAZY_EXEMPT = {("awe.client._local", "awe.platform"), ("awe.client._local", "awe.web")}


@dataclass(frozen=True)
class Import:
    """One import statement: who imports what, and whether it stands inside a function."""

    module: str
    target: str
    line: int
    inside_function: bool


def modules() -> dict[str, Path]:
    """Return every module of awe by its dotted name."""
    found = {}
    for path in sorted((SRC / "awe").rglob("*.py")):
        parts = path.relative_to(SRC).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = path
    return found


def imports(name: str, path: Path) -> list[Import]:
    """Return the imports of one module; relative ones are not used in this project."""
    found: list[Import] = []
    rest: list[tuple[ast.AST, bool]] = [(ast.parse(path.read_text(encoding="utf-8")), False)]
    while rest:
        node, inside = rest.pop()
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            base = node.module or ""
            known = {f"{base}.{alias.name}" for alias in node.names} & MODULES.keys()
            targets = sorted(known) or [base]
        elif isinstance(node, ast.expr):
            continue  # no expression holds an import
        else:
            inside = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            rest.extend((child, inside) for child in ast.iter_child_nodes(node))
            continue
        found.extend(Import(name, target, node.lineno, inside) for target in targets)
    return found


MODULES = modules()
IMPORTS = [found for name, path in MODULES.items() for found in imports(name, path)]
OWN = [i for i in IMPORTS if i.target == "awe" or i.target.startswith("awe.")]


def ring(module: str) -> str:
    """Return the ring a module lives in."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "awe"


def below(module: str) -> str:
    """Return a module's path below src/awe, as HOMES spells it."""
    return MODULES[module].relative_to(SRC / "awe").as_posix()


def test_every_module_has_a_ring() -> None:
    assert {ring(name) for name in MODULES} <= RINGS.keys()


def test_rings_import_only_to_the_left() -> None:
    wrong = [
        f"{i.module}:{i.line} imports {i.target}"
        for i in OWN
        if ring(i.target) != ring(i.module)
        and ring(i.target) not in RINGS[ring(i.module)]
        and (i.module, i.target) not in LAZY_EXEMPT
    ]
    assert not wrong, "\n".join(wrong)


def test_services_stand_in_order_and_meet_through_public_names() -> None:
    wrong = []
    for i in OWN:
        here, there = i.module.split("."), i.target.split(".")
        if here[1:2] != ["services"] or there[1:2] != ["services"] or len(here) < 3 or len(there) < 3:
            continue
        if here[2] == there[2]:
            continue
        if SERVICES.index(there[2]) > SERVICES.index(here[2]):
            wrong.append(f"{i.module}:{i.line} imports {i.target}, which stands to its right")
        if len(there) > 3 and there[3].startswith("_"):
            wrong.append(f"{i.module}:{i.line} imports the private {i.target}")
    assert not wrong, "\n".join(wrong)


def test_services_do_not_know_the_virtual_observatory() -> None:
    wrong = [
        f"{i.module}:{i.line}"
        for i in OWN
        if ring(i.module) == "services" and i.target.startswith("awe.core.vo")
    ]
    assert not wrong, "the VO is one face among three: " + ", ".join(wrong)


def test_faces_do_not_know_each_other() -> None:
    wrong = []
    for i in OWN:
        here, there = i.module.split("."), i.target.split(".")
        if here[1:2] == ["web"] and there[1:2] == ["web"] and len(here) > 2 and len(there) > 2:
            known = here[2] in FACES and there[2] in FACES
            if known and here[2] != there[2]:
                wrong.append(f"{i.module}:{i.line} imports {i.target}")
    assert not wrong, "\n".join(wrong)


def test_heavy_dependencies_stay_at_home() -> None:
    wrong = []
    for i in IMPORTS:
        homes = HOMES.get(i.target) or HOMES.get(i.target.split(".")[0])
        if homes is not None and not below(i.module).startswith(homes):
            wrong.append(f"{i.module}:{i.line} imports {i.target}; its home is {', '.join(homes)}")
    assert not wrong, "\n".join(wrong)


def test_only_plugins_reads_entry_points_and_only_settings_the_environment() -> None:
    wrong = []
    for name, path in MODULES.items():
        text = path.read_text(encoding="utf-8")
        if "entry_points" in text and name != "awe.plugins":
            wrong.append(f"{name} reads entry points")
        if ("os.environ" in text or "getenv" in text) and name != "awe.settings._tree":
            wrong.append(f"{name} reads the environment")
    assert not wrong, "\n".join(wrong)


def test_own_code_is_imported_at_the_top() -> None:
    wrong = [
        f"{i.module}:{i.line} imports {i.target} inside a function"
        for i in OWN
        if i.inside_function
        and (i.module, i.target) not in LAZY_EXEMPT
        and i.module != "awe"
        and ring(i.module) != "cli"
    ]
    assert not wrong, "\n".join(wrong)


def test_no_cycles() -> None:
    edges: dict[str, set[str]] = defaultdict(set)
    for i in OWN:
        if not i.inside_function and i.target in MODULES:
            edges[i.module].add(i.target)
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name not in done:
            for target in sorted(edges[name]):
                if not name.startswith(f"{target}."):  # a package's own __init__ is loaded first anyway
                    visit(target, (*path, name))
            done.add(name)

    for name in sorted(edges):
        visit(name, ())


def test_a_light_import_stays_light() -> None:
    heavy = "numpy pyarrow astropy duckdb sqlglot fastapi sqlalchemy httpx"
    code = f"import sys, awe, awe.errors, awe.cli; print([m for m in {heavy.split()} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(SRC)},
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def ring_map() -> str:
    """Return the package map as Markdown."""
    edges: dict[str, set[str]] = defaultdict(set)
    for i in OWN:
        here, there = (".".join(m.split(".")[1:3]) for m in (i.module, i.target))
        if here and there and here != there:
            edges[here].add(there)
    lines = ["| package | imports |", "|---|---|"]
    lines += [
        f"| `{name}` | {', '.join(f'`{t}`' for t in sorted(targets))} |"
        for name, targets in sorted(edges.items())
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(ring_map() + "\n")
