"""What was found, as Markdown, JSON, and plots for light and dark pages."""
import json

from . import budgets

COLORS = {"heliograph": "#d9480f", "floor": "#868e96"}
OTHER = "#4c6ef5"
THEMES = {"light": ("#ffffff", "#212529"), "dark": ("#0d1117", "#e6edf3")}


def number(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def markdown(result):
    lines = [f"### {result.title}", "", result.comment + ".", ""]
    head = ["server", f"{result.unit} (range)", "ours : theirs", *result.columns, "note"]
    lines += ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for (peer, median, low, high, ratio, note), extra in zip(result.rows, result.extra):
        value = number(median) if low == high else f"{number(median)} ({number(low)}–{number(high)})"
        lines.append("| " + " | ".join([peer, value, number(ratio) if ratio else "–", *extra, note]) + " |")
    return "\n".join(lines) + "\n"


def write(directory, machine, versions, results, date):
    """Writes `results.md`, `results.json` and the plots."""
    directory.mkdir(parents=True, exist_ok=True)
    text = [f"# Measured on {date}", "", machine + ".", "", "; ".join(f"{name} {version}" for name, version in versions) + ".", ""]
    if table := budgets.markdown(results):
        text += [table]
    for name, result in results:
        text.append(markdown(result))
        if any(row[1] is not None for row in result.rows):
            plot(directory, name, result)
            text += [f"![{result.title}]({name}-light.svg)", ""]
    (directory / "results.md").write_text("\n".join(text))
    (directory / "results.json").write_text(json.dumps(
        {"date": date, "machine": machine, "versions": dict(versions),
         "scenarios": {name: result.__dict__ for name, result in results}}, indent=1))


def plot(directory, name, result):
    import matplotlib
    matplotlib.use("svg")
    import matplotlib.pyplot as pyplot
    matplotlib.rcParams["svg.hashsalt"] = "heliograph"
    rows = [row for row in result.rows if row[1] is not None]
    for theme, (ground, ink) in THEMES.items():
        figure, axes = pyplot.subplots(figsize=(7, 0.5 + 0.36 * len(rows)), facecolor=ground)
        axes.set_facecolor(ground)
        names = [row[0] for row in rows][::-1]
        values = [row[1] for row in rows][::-1]
        errors = [[row[1] - row[2] for row in rows][::-1], [row[3] - row[1] for row in rows][::-1]]
        axes.barh(names, values, xerr=errors, ecolor=ink, color=[COLORS.get(peer, OTHER) for peer in names])
        for place, value in enumerate(values):
            axes.annotate(f" {number(value)}", (value + errors[1][place], place), color=ink, va="center", fontsize=9)
        axes.set_title(f"{result.title}: {result.unit}", color=ink, loc="left", fontsize=11)
        axes.tick_params(colors=ink, labelsize=9)
        axes.set_xlim(0, max(value + error for value, error in zip(values, errors[1])) * 1.15)
        for spine in axes.spines.values():
            spine.set_visible(False)
        figure.savefig(directory / f"{name}-{theme}.svg", bbox_inches="tight", facecolor=ground, metadata={"Date": None})
        pyplot.close(figure)
