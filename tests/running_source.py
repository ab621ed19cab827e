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
