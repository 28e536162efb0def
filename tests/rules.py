"""The rules of this repository as functions from text to findings; unit/test_repository_rules.py applies them.

Each takes plain text, so that a test can hand it a bad example and see it complain.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.process import ROOT

PACKAGE = "deepset_nb"

# Imports point only to the right; rooms of one place may import each other.
ORDER = (
    ("__init__", "__main__", "cli", "demo", "magics", "magic_words"),
    ("workspace", "connect", "workflows", "upload_session", "notebook_check"),
    ("uploading", "downloading", "looking", "listing_line", "tidying", "call_as_code"),
    ("widgets",),
    ("job", "job_news", "history"),
    ("frames", "file_frames"),
    ("bridge", "_task", "_main_thread", "_at_exit"),
    ("transfer",),
    ("client",),
    ("models", "errors", "settings", "i18n", "traces", "_places", "_version"),
)
PLACE = {room: place for place, rooms in enumerate(ORDER) for room in rooms}
EMULATOR_MAY_IMPORT = {"models", "errors", "emulator"}
MAY_IMPORT_EMULATOR = {"cli", "connect", "demo", "emulator"}
MAY_IMPORT_PANDAS = {"workspace", "frames", "file_frames", "transfer.plan", "transfer.receipt", "transfer.meta"}
NOTEBOOK_LIBRARIES = {"ipywidgets", "anywidget", "IPython"}
NESTING = {"nest_asyncio", "nest_asyncio2"}
KNOWS_ENDPOINTS = {"client", "emulator"}

TOP_LEVEL = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "deepset_nb", "js", "notebooks", "tests"}

_ENDPOINT = re.compile(
    r"(^|/)(workspaces|upload_sessions)/|/(workspaces|upload_sessions|files|temporary_files|me)(/|\?|$)|/update-meta"
)
_HOME = re.compile(r"(?<![\w.:}\])])/(?:home|Users|root|work)/[\w.]")
# Split, so that this file does not find itself.
_REGISTRIES = tuple(
    ".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("yarnpkg", "com"))
)


def tracked_files() -> list[Path]:
    """What git holds or would add, relative to the top."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    return sorted(path for name in listing.split("\0") if name and (ROOT / (path := Path(name))).is_file())


def modules() -> Iterator[tuple[str, str]]:
    """Every module of the package: its dotted name below the package, and its text."""
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT / PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
        yield name, path.read_text()


def room_of(module: str) -> str:
    """``client`` for ``client.bucket``."""
    return module.partition(".")[0]


def imports(module: str, source: str, *, is_package: bool | None = None) -> list[str]:
    """The absolute names a module imports, at the top or in a function; TYPE_CHECKING blocks do not count."""
    if is_package is None:
        is_package = module == "__init__" or (ROOT / PACKAGE / Path(*module.split("."))).is_dir()
    own = [PACKAGE, *([] if module == "__init__" else module.split("."))]
    folder = own if is_package else own[:-1]
    found: list[str] = []
    for node in _running_code(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = folder[: len(folder) - node.level + 1] if node.level else []
            origin = ".".join([*base, *filter(None, [node.module])])
            # `from deepset_nb import frames` imports the room, not only the package.
            found += [f"{origin}.{alias.name}" for alias in node.names] if origin == PACKAGE else [origin]
        elif isinstance(node, ast.Call) and _called(node) in {"import_module", "__import__"}:
            found += [
                arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
            ]
    return found


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _running_code(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield other
                yield from _running_code(other)
        else:
            yield child
            yield from _running_code(child)


def _rooms_imported(module: str, source: str) -> Iterator[str]:
    for name in imports(module, source):
        if name == PACKAGE:
            yield "__init__"
        elif name.startswith(f"{PACKAGE}."):
            yield name.split(".")[1]


def against_the_order(module: str, source: str) -> list[str]:
    """Imports that point left, and rooms that are not on the map."""
    room = room_of(module)
    if room == "emulator":
        return []  # it stands beside the order and has a rule of its own
    if room not in PLACE:
        return [f"{module}: not a room of the map"]
    return [
        f"{module} imports {target}"
        for target in _rooms_imported(module, source)
        if target != "emulator" and target != room and PLACE.get(target, 0) < PLACE[room]
    ]


def across_the_emulator(module: str, source: str) -> list[str]:
    """What the emulator may not import, and who may not import the emulator."""
    room = room_of(module)
    return [
        f"{module} imports {target}"
        for target in _rooms_imported(module, source)
        if (room == "emulator" and target not in EMULATOR_MAY_IMPORT)
        or (target == "emulator" and room not in MAY_IMPORT_EMULATOR)
    ]


def libraries_out_of_place(module: str, source: str) -> list[str]:
    """Imports of nest_asyncio, the notebook libraries and pandas outside the rooms that may."""
    found = []
    for name in imports(module, source):
        library = name.partition(".")[0]
        if (
            (library in NESTING and module != "bridge")
            or (library in NOTEBOOK_LIBRARIES and PLACE.get(room_of(module), len(ORDER)) > PLACE["widgets"])
            or (library == "pandas" and module not in MAY_IMPORT_PANDAS)
        ):
            found.append(f"{module} imports {name}")
    return found


def endpoint_paths(module: str, source: str) -> list[str]:
    """String literals that spell a path of the platform's API, outside client/ and emulator/."""
    if room_of(module) in KNOWS_ENDPOINTS:
        return []
    return [f"{module}: {text!r}" for text in _literals(ast.parse(source)) if _ENDPOINT.search(text)]


def _literals(tree: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue  # a docstring may cite the reference
        if isinstance(child, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in child.values)
        elif isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value
        yield from _literals(child)


def machine_traces(name: str, text: str) -> list[str]:
    """Home folders of one machine, and hosts of package registries."""
    found = [f"{name}: {match.group()}" for match in _HOME.finditer(text)]
    return found + [f"{name}: {host}" for host in _REGISTRIES if host in text]


def has_example(docstring: str | None) -> bool:
    """Whether a docstring shows a cell: a fenced or indented block of code."""
    text = docstring or ""
    return "```" in text or ">>>" in text or re.search(r"::\n\n? +\S|^\s*Examples?:\n\s+\S", text, re.M) is not None


def strangers_at_the_top(names: set[str]) -> set[str]:
    """Entries of the top level that are not on the fixed list; dot-files are free."""
    return {name for name in names if not name.startswith(".")} - TOP_LEVEL
