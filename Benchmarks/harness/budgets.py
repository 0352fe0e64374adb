"""What the project promises itself, against what a run has found."""
import re


def ratio(peer):
    return lambda result: next((row[4] for row in result.rows if row[0] == peer), None)


def value(peer="heliograph"):
    return lambda result: next((row[1] for row in result.rows if row[0] == peer), None)


def column(name, peer="heliograph"):
    """The number of a further column."""

    def read(result):
        for row, extra in zip(result.rows, result.extra):
            if row[0] == peer and name in result.columns:
                found = re.search(r"[\d.,]+", extra[result.columns.index(name)])
                return float(found[0].replace(",", "")) if found else None
        return None

    return read


# Scenario, what, how it is read, and what it may be at most.
BUDGETS = [
    ("32x32", "CPU per small request over TLS, 32 × 32, to h2o's", ratio("h2o"), 0.95),
    ("32x32", "… to nghttpd's", ratio("nghttpd"), 0.5),
    ("32x32", "… to SwiftNIO's", ratio("swift-nio"), 0.1),
    ("32x32", "… to the floor", ratio("floor"), 2.8),
    ("64x1", "CPU per request, 64 × 1, to h2o's", ratio("h2o"), 0.9),
    ("64x1", "… to nghttpd's", ratio("nghttpd"), 0.8),
    ("64x1", "… to the floor", ratio("floor"), 1.15),
    ("counts", "Instructions of a small request in user space", value(), 11_000),
    ("counts", "Allocations of a request", column("allocations"), 6),
    ("counts", "… of them in Swift", column("in Swift"), 2),
    ("idle", "KiB for an idle connection", value(), 24),
    ("idle-quick", "KiB for an idle connection, of 1,000", value(), 24),
    ("growth", "CPU per request at 19,000 idle connections, to none", column("growth"), 1.25),
    ("mass-close", "Longest iteration while 19,000 connections close, ms", column("longest iteration, ms"), 50),
    ("1m", "CPU of 1 MiB responses, to nginx's", ratio("nginx"), 1.0),
]


def markdown(results):
    """A table of those whose scenario was run."""
    found = dict(results)
    lines = ["### Budgets", "", "| what | at most | found | |", "|---|---|---|---|"]
    for scenario, what, read, limit in BUDGETS:
        if scenario not in found:
            continue
        number = read(found[scenario])
        if number is None:
            lines.append(f"| {what} | {limit:,} | – | not measured |")
        else:
            text = f"{number:,.0f}" if number >= 100 else f"{number:.2f}"
            lines.append(f"| {what} | {limit:,} | {text} | {'met' if number <= limit else 'missed'} |")
    return "\n".join(lines) + "\n" if len(lines) > 4 else ""
