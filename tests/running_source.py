"""A module's text without what cannot change its run: two of the same text behave alike."""

from __future__ import annotations

import ast

#: keywords of @dataclass that mypy holds, or that only spare memory
DECLARATIONS = frozenset({"frozen", "kw_only", "slots"})
LOGGED = frozenset({"debug", "info", "warning", "exception"})


def running_source(source: str) -> str | None:
    """Normalised text of a module; None where it is no Python.

    Left out: annotations, docstrings, `if TYPE_CHECKING` and `if __name__ == "__main__"`, calls of a logger,
    the marks `*` and `/` among parameters, and `frozen`, `kw_only` and `slots` of `@dataclass`.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    return ast.unparse(ast.fix_missing_locations(_Untyped().visit(tree)))


class _Untyped(ast.NodeTransformer):
    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(node.arg)

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        defaults = dict(zip([*node.posonlyargs, *node.args][::-1], node.defaults[::-1], strict=False))
        given = {**defaults, **{a: d for a, d in zip(node.kwonlyargs, node.kw_defaults, strict=True) if d}}
        every = [*node.posonlyargs, *node.args, *node.kwonlyargs]
        plain = ast.arguments(
            posonlyargs=[], args=[], vararg=node.vararg, kwarg=node.kwarg,
            kwonlyargs=every, kw_defaults=[given.get(a) for a in every], defaults=[],
        )  # fmt: skip
        return self.generic_visit(plain)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST:
        test = ast.unparse(node.test)
        if test == "TYPE_CHECKING" or "__name__" in test:
            return ast.Pass()
        return self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        call = node.value
        if isinstance(call, ast.Constant) or _is_logged(call):
            return ast.Pass()
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "dataclass":
                decorator.keywords = [k for k in decorator.keywords if k.arg not in DECLARATIONS]
        return self.generic_visit(node)


def _is_logged(call: ast.expr) -> bool:
    return (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in LOGGED
        and ast.unparse(call.func.value).lower().removeprefix("_") in ("log", "logger")
    )


def executed_with(tree: ast.Module, line: int) -> set[int] | None:
    """Lines of the innermost statement at a line; None where it runs as the module is imported."""
    called = _called_at_import(tree)
    inside, statement = False, None
    at: list[ast.stmt] = tree.body
    while True:
        here = next((s for s in at if _first_line(s) <= line <= (s.end_lineno or s.lineno)), None)
        if here is None:
            break
        statement = here
        blocks = [*ast.iter_child_nodes(here)]
        at = [n for n in blocks if isinstance(n, ast.stmt)]
        for block in blocks:  # `except` and `case`
            if isinstance(block, ast.excepthandler | ast.match_case) and block.body[0].lineno <= line:
                at = [*at, *block.body]
        function = isinstance(here, ast.FunctionDef | ast.AsyncFunctionDef)
        if function and line < here.body[0].lineno:  # type: ignore[attr-defined]
            return set(range(here.body[0].lineno, (here.end_lineno or 0) + 1))  # type: ignore[attr-defined]
        inside = inside or (function and here.name not in called)  # type: ignore[attr-defined]
    if not inside or statement is None:
        return None
    body = getattr(statement, "body", None)
    end = body[0].lineno - 1 if body else statement.end_lineno or statement.lineno
    return set(range(statement.lineno, max(end, line, statement.lineno) + 1))


def _first_line(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(d.lineno for d in decorators)])


def _called_at_import(tree: ast.Module) -> set[str]:
    """Names of functions that a module's own statements call, or other such functions."""
    bodies = {s.name: s for s in tree.body if isinstance(s, ast.FunctionDef)}
    ways: list[ast.stmt] = [
        s
        for s in tree.body
        if not isinstance(s, ast.FunctionDef | ast.ClassDef)
        and not (isinstance(s, ast.If) and "__name__" in ast.unparse(s.test))
    ]
    called: set[str] = set()
    for statement in ways:  # grows
        calls = (n.func for n in ast.walk(statement) if isinstance(n, ast.Call))
        new = {f.id for f in calls if isinstance(f, ast.Name) and f.id in bodies} - called
        called |= new
        ways += [bodies[name] for name in sorted(new)]
    return called
