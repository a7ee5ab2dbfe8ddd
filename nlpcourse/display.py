"""How the course draws: figures without a background, in colours for a light and for a dark page."""

import matplotlib as mpl
from cycler import cycler
from matplotlib.colors import LinearSegmentedColormap

TEXT = "#7c7c7c"
"""Grey for words, axes and ticks: the same contrast (above 4) on white and on the dark page."""

COLOURS = {
    "blue": "#3d85c8",
    "orange": "#d2761a",
    "green": "#2f9a63",
    "red": "#dd5353",
    "purple": "#a070d6",
    "grey": "#808892",
}
"""Colours by name; each has a contrast of at least 3 on white and on the dark page."""

BACKGROUNDS = {"light": "#ffffff", "dark": "#121212"}
"""The page behind a figure in the two colour schemes of the site."""


def use_course_style() -> None:
    """Make every later figure transparent, in the course's colours, and sharp (SVG) in a notebook."""
    mpl.rcParams.update(
        {
            "axes.edgecolor": TEXT,
            "axes.facecolor": "none",
            "axes.grid": True,
            "axes.labelcolor": TEXT,
            "axes.labelsize": 11,
            "axes.prop_cycle": cycler(color=list(COLOURS.values())),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlecolor": TEXT,
            "axes.titlesize": 12,
            "figure.constrained_layout.use": True,
            "figure.facecolor": "none",
            "figure.figsize": (6.6, 3.8),
            "font.size": 11,
            "grid.alpha": 0.25,
            "grid.color": TEXT,
            "legend.frameon": False,
            "legend.labelcolor": TEXT,
            "lines.linewidth": 2.0,
            "savefig.transparent": True,
            "svg.hashsalt": "nlpcourse",
            "text.color": TEXT,
            "xtick.color": TEXT,
            "ytick.color": TEXT,
        }
    )
    if _in_notebook():
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("svg", metadata={"Date": None})


def shades(colour: str) -> LinearSegmentedColormap:
    """A colour map for weights: 0 is transparent, so that any page may lie behind it, 1 is a colour of `COLOURS`."""
    return LinearSegmentedColormap.from_list(colour, [COLOURS[colour] + "00", COLOURS[colour]])


def contrast(one: str, other: str) -> float:
    """The WCAG contrast ratio of two colours given as `#rrggbb`, from 1 (equal) to 21 (black on white)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * channel for weight, channel in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _in_notebook() -> bool:
    try:
        from IPython import get_ipython
    except ModuleNotFoundError:
        return False
    return get_ipython() is not None
