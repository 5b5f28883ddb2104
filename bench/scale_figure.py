"""The figure of cost against n, from the times that scale.py has kept."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

LINES = {  # side: how it is called and drawn
    "lookalike": ("lookalike, exact", "#c2410c", "o", 2.4),
    "old": ("lookalike 0.1.0, exact", "#f0a878", "o", 1.4),
    "faiss": ("faiss flat, float32", "#475569", "s", 1.4),
    "faiss HNSW": ("faiss HNSW, approximate, with its recall", "#2563eb", "^", 1.4),
}
INK, FAINT = "#1f2937", "#e5e7eb"


def draw(path: Path, panels: dict[str, dict[str, list[dict[str, Any]]]]) -> None:
    """Draw a panel for each title: of each side, points with `n`, `seconds` and maybe `recall`."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams |= {"svg.fonttype": "none", "font.size": 10, "svg.hashsalt": "scale"}
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(panels), figsize=(5 * len(panels), 4.2))
    for axis, (title, sides) in zip(axes, panels.items(), strict=True):
        for side, (label, colour, marker, width) in LINES.items():
            found = sorted(sides.get(side, []), key=lambda point: point["n"])
            if not found:
                continue
            n = [point["n"] for point in found]
            seconds = [median(point["seconds"]) for point in found]
            axis.loglog(n, seconds, marker + "-", color=colour, lw=width, ms=4.5, label=label)
            for point, s in zip(found, seconds, strict=True):
                if side == "faiss HNSW" and "recall" in point:
                    axis.annotate(
                        f"{100 * point['recall']:.1f} %",
                        (point["n"], s),
                        xytext=(0, 7),
                        textcoords="offset points",
                        color=colour,
                        fontsize=8,
                        ha="center",
                    )
        axis.set_title(title, color=INK, fontsize=10.5)
        axis.set_xlabel("rows of 1,024 features")
        axis.set_ylabel("seconds, two cores")
        axis.grid(color=FAINT, lw=0.7)
        axis.set_axisbelow(True)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False, fontsize=8.5, loc="upper left")
        axis.margins(y=0.12)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
