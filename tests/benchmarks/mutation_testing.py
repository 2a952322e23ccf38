"""Mutation testing: which small changes of a module do its tests not notice?

    python tests/benchmarks/mutation_testing.py segmentation/cropping.py tests/segmentation/test_cropping*.py

Changes one comparison, operator, number or truth value at a time, and runs the tests in a fork that has the changed
module in place of the sound one. Prints every change that survives.
"""

import ast
import contextlib
import copy
import importlib
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import cv2
import hypothesis  # noqa: F401 - loaded once, before the forks
import numpy  # noqa: F401
import pandas  # noqa: F401
import pytest
import sklearn.model_selection  # noqa: F401

MOST_SECONDS = 60

_SWAPS: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.And: ast.Or, ast.Or: ast.And,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}  # fmt: skip


def mutants(tree: ast.Module) -> Iterator[tuple[str, ast.Module]]:
    """Every change of one place, with a line that says which."""
    for number, node in enumerate(ast.walk(tree)):
        for said, change in _changes(node):
            mutant = copy.deepcopy(tree)
            place = next(other for at, other in enumerate(ast.walk(mutant)) if at == number)
            change(place)
            yield f"line {getattr(node, 'lineno', '?')}: {said}", ast.fix_missing_locations(mutant)


def _changes(node: ast.AST) -> Iterator[tuple[str, object]]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _SWAPS:
        new = _SWAPS[type(node.ops[0])]
        yield f"{ast.unparse(node)} with {new.__name__}", lambda place: place.ops.__setitem__(0, new())
    elif isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in _SWAPS:
        other = _SWAPS[type(node.op)]
        yield f"{ast.unparse(node)} with {other.__name__}", lambda place: setattr(place, "op", other())
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        value = not node.value if isinstance(node.value, bool) else node.value + 1
        yield f"{node.value} becomes {value}", lambda place: setattr(place, "value", value)


def survives(name: str, path: Path, mutant: ast.Module, tests: list[str]) -> bool:
    """Whether the tests pass with the mutant in place of the module of this name."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))  # a mutant may loop for ever
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        status = 1
        with contextlib.suppress(BaseException):
            module = ModuleType(name)
            module.__file__ = str(path)
            sys.modules[name] = module
            exec(compile(mutant, str(path), "exec"), module.__dict__)
            package, _, last = name.rpartition(".")
            setattr(importlib.import_module(package), last, module)
            status = int(pytest.main(["-x", "-q", "-n", "0", "-p", "no:cacheprovider", *tests]))
    os._exit(status)


def main(source: str, tests: list[str]) -> None:
    path = Path(source)
    name = ".".join(path.with_suffix("").parts)
    cv2.setNumThreads(0)
    tree = ast.parse(path.read_text())
    if not survives(name, path, tree, tests):
        sys.exit("the tests fail on the module as it is")
    if survives(name, path, ast.parse(""), tests):
        sys.exit("the tests do not use the changed module, be it as they run in other processes")
    count = survivors = 0
    for said, mutant in mutants(tree):
        count += 1
        if survives(name, path, mutant, tests):
            survivors += 1
            print(said, flush=True)
    print(f"{source}: {count} changes, {count - survivors} noticed, {survivors} not")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
