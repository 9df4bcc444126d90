"""Public functions say in plain English what they return, and describe every parameter."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "cellbench"
# Their signatures and meaning are the library's: Lightning's, PyTorch's, torchmetrics'.
HOOKS = ("on_", "configure_", "state_dict", "load_state_dict", "setup", "teardown", "forward")
HOOK_ENDS = ("_step", "_dataloader", "_hook", "_epoch_end", "_epoch_start")
ROLE = re.compile(r":\w+:`")  # Sphinx's markup; mkdocstrings renders Markdown: [`name`][]
VAGUE_VERBS = {"Give", "Gives", "Tell", "Tells", "Say", "Says"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def public_functions(tree: ast.Module, module: str) -> Iterator[tuple[str, Function]]:
    for node in tree.body:
        if isinstance(node, Function) and not node.name.startswith("_"):
            yield f"{module}.{node.name}", node
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for each in node.body:
                if isinstance(each, Function) and not each.name.startswith("_"):
                    yield f"{module}.{node.name}.{each.name}", each


def is_hook(name: str) -> bool:
    return name.startswith(HOOKS) or name.endswith(HOOK_ENDS)


def parameters(function: Function) -> list[str]:
    given = function.args
    names = [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return [name for name in names if name not in ("self", "cls") and not name.startswith("_")]


def faults(path: Path) -> list[str]:
    module = path.relative_to(PACKAGE).as_posix().removesuffix(".py")
    found = []
    for name, function in public_functions(ast.parse(path.read_text("utf-8")), module):
        text = ast.get_docstring(function) or ""
        first, _, _ = text.partition(" ")
        if first in VAGUE_VERBS:
            found.append(f"{name}: begins with {first!r}")
        # A verb's configure and run are described in commands/__init__.py, once for all.
        if module.startswith("commands/") or is_hook(function.name) or not parameters(function):
            continue
        if "Args:" not in text:
            found.append(f"{name}: has no Args section")
        else:
            found += [
                f"{name}: does not describe {each}"
                for each in parameters(function)
                if f"\n    {each}:" not in text
            ]
    return found


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_docstrings_of_public_functions(path: Path) -> None:
    assert faults(path) == []


def test_docstrings_are_markdown() -> None:
    texts = {path: path.read_text("utf-8").splitlines() for path in PACKAGE.rglob("*.py")}
    roles = [
        f"{path.relative_to(PACKAGE)}:{number}"
        for path, lines in texts.items()
        for number, line in enumerate(lines, start=1)
        if ROLE.search(line)
    ]
    assert roles == []


@pytest.mark.parametrize("verb", sorted(VAGUE_VERBS))
def test_faults_are_found(verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "module.py"
    module.write_text(f'def f(a, b):\n    """{verb} a.\n\n    Args:\n        a: it.\n    """\n')
    monkeypatch.setattr("test_docstrings.PACKAGE", tmp_path)
    assert faults(module) == [f"module.f: begins with {verb!r}", "module.f: does not describe b"]
