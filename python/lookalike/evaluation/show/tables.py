"""The two tables of an evaluation: metrics in columns, categories in rows, the best in bold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lookalike.distance.metrics import ALL_METRICS, AnyMetric, metric_name, metric_title
from lookalike.evaluation.paper import METRIC_ORDER
from lookalike.printable import printable

if TYPE_CHECKING:
    import rich.table

    from lookalike.evaluation.result import Result

__all__ = [
    "MOST_ROWS",
    "Table",
    "category_names",
    "evaluation_table",
    "left_out",
    "metric_place",
    "metric_title",
]

MEAN = "Mean"
MOST_ROWS = 40
"""Categories that a terminal or a chart shows; tables for documents have all."""


def metric_place(metric: AnyMetric) -> int:
    """Return a metric's place among the columns: the paper's order, then what it does not have."""
    return [*METRIC_ORDER, *(m for m in ALL_METRICS if m not in METRIC_ORDER)].index(
        metric_name(metric)
    )


def category_names(categories: Sequence[Any]) -> list[str]:
    """Return the categories as texts that differ; 1 and "1" as ``1`` and ``'1'``."""
    names = [str(category) for category in categories]
    return names if len(set(names)) == len(names) else [repr(category) for category in categories]


@dataclass(frozen=True)
class Table:
    """Numbers with a heading for every column and a name for every row.

    Attributes
    ----------
    title : str
    columns, rows : sequence of str
    values : sequence of sequence of float
        A sequence for every row.
    digits : int
        Decimals shown; values are rounded to them, and compared before that.
    notes : sequence of str
        What stands below it.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[str]
    values: Sequence[Sequence[float]]
    digits: int = 3
    notes: Sequence[str] = ()

    def best(self, row: int) -> set[int]:
        """Return the columns of the highest value of a row; none where there is no other."""
        if len(self.columns) < 2:
            return set()
        highest = max(self.values[row])
        return {column for column, value in enumerate(self.values[row]) if value == highest}

    def cells(self, row: int, bold: str) -> list[str]:
        """Return a row's numbers as text, the best put into the place of ``{}`` in `bold`."""
        best = self.best(row)
        texts = [f"{value:.{self.digits}f}" for value in self.values[row]]
        return [bold.format(text) if c in best else text for c, text in enumerate(texts)]

    def markdown(self) -> str:
        """Return the table for Markdown, the title a paragraph before it."""
        lines = [
            f"{_escaped(self.title, MARKDOWN)}",
            "",
            _line("", self.columns),
            "|---|" + "--:|" * len(self.columns),
        ]
        for number, name in enumerate(self.rows):
            lines.append(_line(_escaped(name, MARKDOWN), self.cells(number, "**{}**")))
        for note in self.notes:
            lines += ["", _escaped(note, MARKDOWN)]
        return "\n".join(lines) + "\n"

    def latex(self) -> str:
        """Return the table for LaTeX; it needs no package."""
        lines = [
            r"\begin{table}",
            rf"\caption{{{_escaped(self.title, LATEX)}}}",
            rf"\begin{{tabular}}{{l{'r' * len(self.columns)}}}",
            r"\hline",
            " & ".join(["", *self.columns]) + r" \\",
            r"\hline",
        ]
        for number, name in enumerate(self.rows):
            if name == MEAN and number == len(self.rows) - 1:
                lines.append(r"\hline")
            cells = self.cells(number, r"\textbf{{{}}}")
            lines.append(" & ".join([_escaped(name, LATEX), *cells]) + r" \\")
        notes = [rf"\par {_escaped(note, LATEX)}" for note in self.notes]
        return "\n".join([*lines, r"\hline", r"\end{tabular}", *notes, r"\end{table}"]) + "\n"

    def rich(
        self, beside: Table | None = None, beside_name: str = "", most: int = MOST_ROWS
    ) -> rich.table.Table:
        """Return the table for a terminal, without its title.

        Parameters
        ----------
        beside : Table, optional
            One of the same shape, whose numbers are shown below each of this one's.
        beside_name : str
            What those rows are called.
        most : int
            How many rows are shown besides the last one (the mean); a line counts the others.
        """
        import rich.box
        import rich.table
        from rich.text import Text

        table = rich.table.Table(box=rich.box.SIMPLE_HEAD, show_edge=False, padding=0)
        table.add_column("", overflow="fold", min_width=min(20, max(map(len, self.rows))))
        for column in self.columns:
            table.add_column(_folded(column), justify="right", no_wrap=True)
        last = len(self.rows) - 1
        for number, name in enumerate(self.rows):
            if most <= number < last:
                continue
            if number == last and last > most:
                table.add_row(f"… {last - most} more")
            cells = [Text(text) for text in self.cells(number, "{}")]
            for place in self.best(number):
                cells[place].stylize("bold")
            heading = Text(printable(name))
            if beside is not None:
                heading.append(f"\n  {beside_name}", "dim")
                for place, text in enumerate(beside.cells(number, "{}")):
                    cells[place].append(f"\n{text}", "dim")
            if number == last and name == MEAN:
                table.add_section()
            table.add_row(heading, *cells)
        return table


def evaluation_table(
    evaluation: Result,
    measure: Literal["precision", "recall"],
    *,
    categories: Sequence[Any] | None = None,
    digits: int = 3,
    title: str | None = None,
) -> Table:
    """Return Table 1 (precision) or Table 2 (recall) of an evaluation.

    Parameters
    ----------
    evaluation : Evaluation
    measure : {"precision", "recall"}
    categories : sequence, optional
        The rows, by default all in the order of the labels.
    digits : int
    title : str, optional
    """
    if measure not in ("precision", "recall"):
        raise ValueError(f"measure must be precision or recall, got {measure!r}")
    values = getattr(evaluation, measure)
    means = getattr(evaluation, f"mean_{measure}")
    rows = evaluation.categories if categories is None else categories
    metrics = sorted(evaluation.metrics, key=metric_place)
    return Table(
        title or f"{measure.capitalize()} of the {evaluation.k} nearest",
        [metric_title(metric) for metric in metrics],
        [*category_names(rows), MEAN],
        [
            *([values[metric][category] for metric in metrics] for category in rows),
            [means[metric] for metric in metrics],
        ],
        digits,
        left_out(evaluation),
    )


def left_out(evaluation: Result) -> list[str]:
    """Return a sentence for each metric that was left out."""
    return [
        f"{metric_title(metric)} was left out: {why}." for metric, why in evaluation.skipped.items()
    ]


def _folded(column: str) -> str:
    """Let a narrow terminal break a long heading where a reader would."""
    breaks = {"Bray-Curtis": "Bray-\nCurtis", "Correlation": "Corre-\nlation"}
    return breaks.get(column, column.replace(" ", "\n", 1))


MARKDOWN = str.maketrans({c: f"\\{c}" for c in r"\`*_{}[]<>#|"})
LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        **{c: f"\\{c}" for c in "&%$#_{}"},
    }
)


def _escaped(text: str, rules: dict[int, str]) -> str:
    return printable(text).translate(rules)


def _line(name: str, cells: Sequence[str]) -> str:
    return "| " + " | ".join([name, *cells]) + " |"
