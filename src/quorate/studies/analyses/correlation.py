"""How two columns go together: Pearson's r, and not their sums of squares and products."""

from math import sqrt

from quorate.models import moments
from quorate.models.products import brought, read
from quorate.mpc.selection import concatenate
from quorate.studies.analyses import tails
from quorate.studies.analyses.asked import Asked, Derived, Found, Sums, Told, Totals, Value
from quorate.studies.analyses.columns import check_sizes, sizes_of, units_of
from quorate.studies.inputs import Input
from quorate.studies.schema import Column, refuse

KIND = "correlation"


def parameters() -> tuple[str, ...]:
    return "x", "y"


def check(asked: Asked) -> None:
    x, y = _columns(asked)
    check_sizes(asked, x, y)
    if x == y:
        refuse(asked.place, "a column always depends on itself")


def needs(asked: Asked) -> tuple[Input, ...]:
    cells = asked.cells()
    x, y = _columns(asked)
    first, second = units_of(asked, x), units_of(asked, y)
    return (
        Input(cells, "count", ""),
        Input(cells, "sum", x.name, to=first),
        Input(cells, "sum", y.name, to=second),
        Input(cells, "squares", x.name, to=2 * first),
        Input(cells, "squares", y.name, to=2 * second),
        Input(cells, "products", x.name, y.name, to=first + second),
    )


def values(asked: Asked) -> tuple[Value, ...]:
    return (
        Value("r", "", 1 << moments.RATIO_BITS, -1.0001, 1.0001),
        Value("rows", "rows", 1, asked.study.min_cell, asked.rows),
    )


def together(asked: Asked, sums: Sums) -> Told:
    n, sx, sy, xx, yy, xy = (sums(item).reshape() for item in needs(asked))
    sizes = sizes_of(asked, *_columns(asked))
    r, vary = moments.correlation(n, (sx, sy), (xx, yy, xy), sizes)
    word = read(brought(r, moments.RATIO_BITS), 0).reshape(1)
    return Told(
        concatenate([word, n.reshape(1)]),
        concatenate([vary.reshape(1), ((n > 0) + 0).reshape(1)]),
        ((n > 0) + 0).reshape(),
    )


def plain(asked: Asked, totals: Totals) -> tuple[float | None, ...]:
    n, sx, sy, xx, yy, xy = (float(totals(item)) for item in needs(asked))
    if n == 0:
        return None, None
    x, y = xx - sx**2 / n, yy - sy**2 / n
    return (xy - sx * sy / n) / sqrt(x * y) if x > 0 and y > 0 else None, n


def derived(asked: Asked, found: Found) -> tuple[Derived, ...]:  # noqa: ARG001 - as all kinds
    r, n = found
    if r is None or n is None or abs(r) >= 1 or n <= 2:
        return ()
    t = float(r) * sqrt((float(n) - 2) / (1 - float(r) ** 2))
    return (
        Derived("t", (), "", t),
        Derived("degrees of freedom", (), "", float(n) - 2),
        Derived("p", (), "", tails.two_sided_t(t, float(n) - 2)),
    )


def sentences(asked: Asked) -> tuple[str, ...]:
    x, y = _columns(asked)
    return (f"how {x.name} and {y.name} go together, and how many rows there are",)


def _columns(asked: Asked) -> tuple[Column, Column]:
    return asked.column("x", "integer", "number"), asked.column("y", "integer", "number")
