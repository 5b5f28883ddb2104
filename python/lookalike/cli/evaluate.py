"""``lookalike evaluate``: which distance is best for labelled images."""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from lookalike.cli import console
from lookalike.cli.options import (
    PARAMETERS_HELP,
    MetricName,
    absolute_option,
    gallery_argument,
    html_option,
    open_gallery,
    reading,
)
from lookalike.cli.output_files import require_folders, require_page
from lookalike.distance import ALL_METRICS, METRICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from lookalike.distance.metrics import AnyMetric
    from lookalike.evaluation.bootstrap import Evidence
    from lookalike.evaluation.evaluation import Evaluation

__all__ = ["evaluate"]


def _counts(ctx: click.Context, param: click.Parameter, value: str) -> list[int]:
    """Read whole numbers from 1, separated by commas."""
    try:
        counts = [int(part) for part in value.split(",")]
    except ValueError:
        counts = [0]
    if min(counts) < 1:
        raise click.BadParameter(f"{value!r} is not a whole number from 1, or several with commas")
    return counts


@dataclass
class Source:
    """The rows to evaluate, their labels and, if there are any, the files they come from."""

    features: NDArray[Any]
    labels: Sequence[Any]
    paths: Sequence[str] | None
    rows: NDArray[np.int64] | None = None
    """Which rows of the source these are; None for all."""

    def limit(self, per_category: int, seed: int) -> None:
        """Keep at most so many images of every category, and those with a label only."""
        from lookalike.evaluation.labels import balanced_subset

        self.rows = balanced_subset(self.labels, per_category, seed=seed)
        self.features = self.features[self.rows]
        self.labels = [self.labels[row] for row in self.rows.tolist()]

    def row(self, place: int) -> int:
        """Return the row in the source."""
        return place if self.rows is None else int(self.rows[place])

    def name(self, place: int) -> str:
        """Return the path of an image, or what there is instead."""
        row = self.row(place)
        return f"row {row}" if self.paths is None else self.paths[row]


@click.command()
@functools.partial(gallery_argument, metavar="[GALLERY|FILE.npy]")
@click.option(
    "--labels",
    "labels_file",
    type=click.Path(dir_okay=False, exists=True),
    metavar="FILE",
    help="A label a row: .txt (one a line), .npy, or .csv (column label or category).",
)
@click.option("--label-column", metavar="NAME", help="The column of the .csv that has the labels.")
@click.option(
    "-k",
    callback=_counts,
    default="100",
    show_default=True,
    metavar="K[,K...]",
    help="How many neighbours are retrieved.",
)
@click.option(
    "--metric",
    "metrics",
    type=MetricName(ALL_METRICS),
    metavar="NAME",
    multiple=True,
    help=f"Only this distance; may be given several times. {PARAMETERS_HELP}  [default: the seven "
    "of the paper]",
)
@click.option(
    "--include-self",
    is_flag=True,
    help="An image counts among its own neighbours, as in the paper.",
)
@click.option(
    "--per-category",
    type=click.IntRange(min=1),
    metavar="N",
    help="Take at most N images of each category, chosen at random.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--bootstrap",
    is_flag=True,
    help="Add intervals, and say which leads are more than chance. With --html always.",
)
@click.option(
    "--samples", type=click.IntRange(min=1), default=10_000, show_default=True, hidden=True
)
@click.option("--full", is_flag=True, help="Rank everything: R-precision, AP and their curves.")
@html_option
@click.option(
    "--plot",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Draw charts: .png, .svg or .pdf (pip install 'lookalike[plots]').",
)
@absolute_option
@click.option("--json", "output", flag_value="json", help="Print everything as JSON (schema 1).")
@click.option("--csv", "output", flag_value="csv", help="Print a line a number.")
@click.option("--markdown", "output", flag_value="markdown", help="Print the tables as Markdown.")
@click.option("--latex", "output", flag_value="latex", help="Print the tables as LaTeX.")
def evaluate(
    gallery: str,
    labels_file: str | None,
    label_column: str | None,
    k: list[int],
    metrics: tuple[AnyMetric, ...],
    include_self: bool,
    per_category: int | None,
    seed: int,
    bootstrap: bool,
    samples: int,
    full: bool,
    html: str | None,
    plot: str | None,
    absolute: bool,
    output: str | None,
) -> None:
    """Tell which distance finds images of the same category.

    Every labelled image asks for its k nearest; precision is the share of them that has its label,
    recall the share of its label's images that is found. The labels of a gallery are its folders,
    or what `lookalike index` was told.

    \b
    Examples:
      lookalike evaluate
      lookalike evaluate photos.gallery -k 10,100 --html report.html
      lookalike evaluate features.npy --labels labels.csv --bootstrap
      lookalike evaluate --metric correlation --metric minkowski:p=0.5
      lookalike evaluate --per-category 440 --include-self --latex > tables.tex
    """  # noqa: D301 - click reads the backspace as "keep these lines apart"
    from lookalike.evaluation.protocol import evaluate as run
    from lookalike.evaluation.show.tables import left_out

    require_page(html)
    require_folders(plot)
    if plot is not None:
        _require_matplotlib()
        from lookalike.evaluation.show.plots import require_format, save_figure

        require_format(plot)
    given = read_source(gallery, labels_file, label_column)
    if per_category is not None:
        given.limit(per_category, seed)
    damage = contextlib.nullcontext() if given.paths is None else reading(gallery)
    with console.told_warnings(), damage, console.bar("queries") as progress:
        found = run(
            given.features,
            given.labels,
            k=k,
            metrics=metrics or METRICS,
            include_self=include_self,
            full=full,
            progress=progress,
        )
    for remark in left_out(found):
        console.remark(remark)
    evidence = None
    if bootstrap or html:
        with console.bar("bootstrap") as progress:
            evidence = found.bootstrap(samples, seed=seed, progress=progress)
    _print(found, evidence, given, output, per_category, seed)
    if html:
        _write_html(html, found, evidence, given, absolute)
        console.remark(f"Page: {html}")
    if plot:
        save_figure(plot, found, evidence)
        console.remark(f"Picture: {plot}")


def read_source(source: str, labels_file: str | None, column: str | None) -> Source:
    """Read a gallery, or a feature matrix with its labels."""
    from lookalike.evaluation.label_files import not_numbers, read_labels

    labels = None if labels_file is None else read_labels(labels_file, column)
    if not source.endswith(".npy"):
        gallery = open_gallery(source)
        return Source(gallery.features, gallery.labels if labels is None else labels, gallery.paths)
    import numpy as np

    try:
        features = np.load(source, mmap_mode="r")
    except (ValueError, EOFError) as error:
        raise click.UsageError(f"{source} {not_numbers(error)}") from None
    except FileNotFoundError:
        raise click.UsageError(f"there is no file {source}") from None
    if labels is None:
        raise click.UsageError(f"{source} has no labels: name a file of them with --labels")
    return Source(features, labels, None)


def _print(
    found: Evaluation,
    evidence: Evidence | None,
    given: Source,
    output: str | None,
    per_category: int | None,
    seed: int,
) -> None:
    from lookalike.evaluation.show.formats import csv_text, summary

    views = [found.at(k) for k in found.ks]
    tables = [t for view in views for t in (view.table("precision"), view.table("recall"))]
    if output == "json":
        document = summary(found, evidence)
        for image in document["hardest"]:
            place = image["row"]
            image["row"] = given.row(place)
            if given.paths is not None:
                image["path"] = given.name(place)
        if per_category is not None:
            document["subset"] = {"per_category": per_category, "seed": seed}
        document.pop("schema")
        console.write_json(**document)
    elif output == "csv":
        console.say(csv_text(found).removesuffix("\n"))
    elif output == "markdown":
        console.say("\n".join(table.markdown() for table in tables).removesuffix("\n"))
    elif output == "latex":
        console.say("\n".join(table.latex() for table in tables).removesuffix("\n"))
    else:
        _print_counts(found, per_category, seed)
        for table in tables:
            click.echo()
            console.heading(table.title)
            console.show(table.rich())
        click.echo()
        _print_findings(found, evidence, given)


def _print_counts(found: Evaluation, per_category: int | None, seed: int) -> None:
    categories = console.plural(len(found.categories), "category").replace(
        "categorys", "categories"
    )
    parts = [console.plural(found.images, "image"), f"{found.queries:,} queries in {categories}"]
    if found.left_out:
        parts.append(f"{found.left_out:,} left out, alone with their label")
    if found.unlabelled:
        parts.append(f"{found.unlabelled:,} without a label")
    if per_category is not None:
        parts.append(f"at most {per_category:,} of a category (seed {seed})")
    if found.include_self:
        parts.append("an image counts among its own neighbours")
    click.echo("; ".join(parts))


def _print_findings(found: Evaluation, evidence: Evidence | None, given: Source) -> None:
    from lookalike.evaluation.show.tables import MOST_ROWS, metric_title

    best = found.best_metric
    click.echo(f"Best: {metric_title(best)}, {found.mean_precision[best]:.4f}")
    if evidence is not None:
        low, high = evidence.intervals[best]
        click.echo(
            f"  {evidence.confidence:.0%} interval {low:.4f} to {high:.4f}, "
            f"{_lead(evidence.rivals(best))}"
        )
        for category, metric in list(found.best.items())[:MOST_ROWS]:
            lead = _lead(evidence.rivals(metric, category))
            click.echo(console.line(f"  {category}: {metric_title(metric)}, {lead}"))
        click.echo(
            f"  (p < {1 - evidence.confidence:.2g} after Holm's correction; {evidence.samples:,} "
            f"bootstrap samples of the queries, seed {evidence.seed}, given this database)"
        )
    for metric, share in found.tie_share.items():
        if share:
            click.echo(
                f"Ties: under {metric_title(metric)} the next image is as far away as the last of "
                f"the {found.k} in {share:.1%} of the queries; precision over all orders "
                f"{found.tie_averaged.mean_precision[metric]:.4f}, here "
                f"{found.mean_precision[metric]:.4f}"
            )
    confused = [
        f"{pair.category} finds {'no label' if pair.other is None else pair.other} {pair.share:.1%}"
        for pair in found.confused(3)
    ]
    if confused:
        click.echo(console.line("Most confused: " + ", ".join(confused)))
    for image in found.hardest(3):
        name = console.shown(given.name(image.row))
        click.echo(
            console.line(f"Hard: {name} ({image.category}), {image.hits} of {found.k} right")
        )


def _lead(rivals: Sequence[AnyMetric]) -> str:
    from lookalike.evaluation.show.tables import metric_title

    if not rivals:
        return "ahead of all others by more than chance"
    return "by chance perhaps ahead of " + ", ".join(metric_title(metric) for metric in rivals)


def _write_html(
    path: str, found: Evaluation, evidence: Evidence | None, given: Source, absolute: bool
) -> None:
    from lookalike.evaluation.show.page import write_evaluation_page
    from lookalike.pages.html import shown_path

    def image(place: int) -> tuple[str, str | None]:
        name = given.name(place)
        if given.paths is None:
            return name, None
        return shown_path(name, path, absolute=absolute), name

    write_evaluation_page(path, found, evidence, images=image)


def _require_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401 - to fail before anything is computed
    except ImportError:
        raise click.ClickException(
            "--plot needs a library of its own: pip install 'lookalike[plots]' "
            "(--html draws its charts without)"
        ) from None
