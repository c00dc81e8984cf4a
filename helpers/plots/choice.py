"""Figures of the page on bias, its parts on choice and on what nobody recorded."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from helpers.plots.style import COLOURS, GREY, LINES, STYLE, stamp

LOOKS = {"treated": (COLOURS[0], LINES[0]), "untreated": (COLOURS[1], LINES[1])}
BINS = np.linspace(0, 1, 41)
LEVELS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.6, 2.0, 3.0, 5.0)  # of hazard ratios
STRENGTH_TICKS = (1, 1.5, 2, 3, 4, 5, 7, 10)
SMALL = 0.1  # standardised difference that is commonly called small


def figure_overlap(weights: pd.DataFrame, *, limits: tuple[float, float], status: str) -> Figure:
    """Draw the propensity scores of both groups back to back.

    Parameters
    ----------
    weights : DataFrame
        From `helpers.estimators.weighting.propensity_weights`.
    limits : (float, float)
        Scores beyond which hardly anybody alike is in the other group.
    status : str
        What the patients are; drawn into the figure.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 3.0), layout="constrained")
        ax = figure.subplots()
        for name, side in (("treated", 1), ("untreated", -1)):
            mine = weights.loc[weights["given"] == (side > 0), "score"]
            heights = np.histogram(mine, BINS)[0] * side
            ax.bar(BINS[:-1], heights, np.diff(BINS), align="edge", color=LOOKS[name][0],
                   alpha=0.8, label=name, hatch="" if side > 0 else "///", edgecolor="white",
                   linewidth=0.3)  # fmt: skip
        for edge in limits:
            ax.axvline(edge, color=GREY, linestyle=":", linewidth=1.0)
        ax.axhline(0, color="black", linewidth=0.8)
        ax.yaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda y, _: f"{abs(y):g}"))
        ax.set(xlim=(0, 1), xlabel="Propensity score: chance of being treated", ylabel="Patients")
        figure.legend(loc="outside upper left", ncols=2)
        stamp(figure, status)
    return figure


def figure_balance(balance: pd.DataFrame, *, status: str, mark: str = "") -> Figure:
    """Draw the standardised difference of each covariate before and after weighting.

    Parameters
    ----------
    balance : DataFrame
        From `helpers.estimators.weighting.balance_table`.
    status, mark : str
        What the patients are, and what no result of them is; drawn into the figure.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 0.32 * len(balance) + 1.3), layout="constrained")
        ax = figure.subplots()
        at = np.arange(len(balance))
        ax.axvline(0, color="black", linewidth=0.8)
        for edge in (-SMALL, SMALL):
            ax.axvline(edge, color=GREY, linestyle=":", linewidth=1.0)
        ax.hlines(at, balance["smd"], balance["smd_weighted"], color=GREY, linewidth=1.0)
        ax.plot(balance["smd"], at, "o", color="black", mfc="white", label="before", gid="before")
        ax.plot(balance["smd_weighted"], at, "D", color="black", label="after", gid="after")
        reach = 1.15 * np.nanmax(np.abs(balance[["smd", "smd_weighted"]].to_numpy()))
        reach = max(reach, 2 * SMALL)
        ax.set_yticks(at, balance["term"])
        ax.set(xlim=(-reach, reach), ylim=(len(balance) - 0.4, -0.6),
               xlabel="Standardised difference, treated minus untreated")  # fmt: skip
        figure.legend(loc="outside upper left", ncols=2)
        stamp(figure, status, mark)
    return figure


def figure_weighted(
    curves: pd.DataFrame, raw: pd.DataFrame, *, times, status: str, mark: str = ""
) -> Figure:
    """Draw weighted curves over raw ones, with the patients at risk as counted and as they weigh.

    Parameters
    ----------
    curves : DataFrame
        From `helpers.estimators.weighted_curves.weighted_km_curves`.
    raw : DataFrame
        From `helpers.survival.km_curve`, the same groups.
    times : sequence of float
        Days, where counts are written.
    status, mark : str
        What the patients are, and what no result of them is; drawn into the figure.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 4.3), layout="constrained")
        ax, below = figure.subplots(2, 1, sharex=True, height_ratios=[3.0, 1.35])
        for name, (colour, line) in LOOKS.items():
            for table, thin in ((raw, True), (curves, False)):
                part = table[(table["group"] == name) & (table["time"] <= max(times))]
                x, y = np.r_[0.0, part["time"]], np.r_[1.0, part["estimate"]]
                ax.step(x, y, where="post", color=colour, linestyle=line,
                        linewidth=0.8 if thin else 2.0, alpha=0.8 if thin else 1,
                        label=f"{name}, {'raw' if thin else 'weighted'}",
                        gid="raw" if thin else "weighted")  # fmt: skip
                if not thin:
                    low, high = (np.r_[np.nan, part[c]] for c in ("conf_low", "conf_high"))
                    ax.fill_between(x, low, high, step="post", color=colour, alpha=0.15,
                                    linewidth=0)  # fmt: skip
        ax.set(ylim=(0, 1.02), ylabel="Survival", xlabel="Days since failure", xlim=(0, max(times)))
        ax.set_xticks(times)
        ax.tick_params(labelbottom=True)
        draw_counts(below, curves, times)
        figure.legend(loc="outside upper left", ncols=2)
        stamp(figure, status, mark)
    return figure


def draw_counts(ax, curves: pd.DataFrame, times) -> None:
    """Patients at risk and events, as counted, and how many patients those at risk weigh as."""
    labels = []
    for name, (colour, _) in LOOKS.items():
        part = curves[curves["group"] == name]
        ax.text(0, len(labels), name, color=colour, weight="bold", fontsize=7.5, va="center")
        labels.append("")
        place = np.searchsorted(part["time"], times, side="left")
        until = np.searchsorted(part["time"], times, side="right")
        rows = {
            "At risk": np.append(part["n_risk"], 0)[place],
            "count as": np.append(part["n_risk_effective"], 0)[place],
            "Events": np.append(0, np.cumsum(part["n_event"]))[until],
        }
        for title, values in rows.items():
            for time, value in zip(times, values, strict=True):
                ax.text(time, len(labels), f"{value:.0f}", ha="center", va="center", fontsize=7.5)
            labels.append(title)
    ax.set_yticks(range(len(labels)), labels, fontsize=7.5)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.tick_params(length=0, labelbottom=False, pad=14)
    for spine in ax.spines.values():
        spine.set_visible(False)


def figure_tipping(
    grid: pd.DataFrame, edges: dict[str, pd.DataFrame], *, even: dict[str, float], status: str
) -> Figure:
    """Draw the ratio that is left by confounders of every strength, and where 1 is reached.

    Parameters
    ----------
    grid : DataFrame
        From `helpers.estimators.evalue.tipping_grid`, a full grid.
    edges : dict of DataFrame
        ratio, and limit where there is one: on_outcome, on_treatment of enough.
    even : dict of float
        Their E-values, marked where both strengths are equal.
    status : str
        What the ratio rests on; drawn into the figure.
    """
    names = {"ratio": ("the ratio", "-", "o"), "limit": ("its limit", "--", "s")}
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.2, 4.6), layout="constrained")
        ax = figure.subplots()
        table = grid.pivot(index="on_treatment", columns="on_outcome", values="hazard_ratio_left")
        logs = np.log(table.to_numpy())
        inside = [v for v in LEVELS if logs.min() < np.log(v) < logs.max()]
        steps = np.log([np.exp(logs.min()) * 0.999, *inside, np.exp(logs.max()) * 1.001])
        far = np.abs(logs).max()
        drawn = ax.contourf(table.columns, table.index, logs, levels=steps, cmap="PuOr",
                            vmin=-far, vmax=far)  # fmt: skip
        shown = [v for v in inside if v != 1]
        lines = ax.contour(table.columns, table.index, logs, levels=np.log(shown), colors=GREY,
                           linewidths=0.6, linestyles="-")  # fmt: skip
        ax.clabel(lines, fmt={np.log(v): f"{v:g}" for v in shown}, fontsize=7)
        for kind, edge in edges.items():
            name, line, marker = names[kind]
            ax.plot(edge["on_outcome"], edge["on_treatment"], color="black", linestyle=line,
                    label=f"{name} reaches 1", gid=f"edge of {kind}")  # fmt: skip
            ax.plot(even[kind], even[kind], marker, color="black", mfc="white",
                    label=f"E-value of {name}, {even[kind]:.2f}", gid=f"even {kind}")  # fmt: skip
        ends = (table.columns.min(), table.columns.max())
        for axis, limit in ((ax.xaxis, ax.set_xlim), (ax.yaxis, ax.set_ylim)):
            limit(*ends)
            axis.set_minor_locator(mpl.ticker.NullLocator())
        ax.set(xscale="log", yscale="log", xlabel="Times as likely the event, with the trait",
               ylabel="Times as common the trait, in one group")  # fmt: skip
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_minor_locator(mpl.ticker.NullLocator())
            axis.set_ticks(STRENGTH_TICKS, [f"{v:g}" for v in STRENGTH_TICKS])
        bar = figure.colorbar(drawn, ax=ax, label="Hazard ratio left", shrink=0.85)
        bar.set_ticks(np.log(inside), labels=[f"{v:g}" for v in inside])
        figure.legend(loc="outside upper left", ncols=2)
        stamp(figure, status, ax=ax)
    return figure
