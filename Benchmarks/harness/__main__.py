"""Measures Heliograph side by side with its peers; see `Benchmarks/run --help`."""
import argparse
import datetime
import pathlib
import sys
import tempfile

from . import budgets, counts, machine, peers, report
from .scenarios import SCENARIOS as TIMED

SCENARIOS = TIMED + counts.SCENARIOS


class Context:
    def __init__(self, work, rounds):
        self.work, self.rounds = work, rounds

    def progress(self, text):
        if sys.stderr.isatty():
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
        else:
            print(text, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(
        prog="Benchmarks/run", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measures Heliograph side by side with its peers: the servers on one core, the load on the other, the\n"
                    "peers in turn within each round.",
        epilog="EXAMPLES\n  Benchmarks/run --quick                    at most five minutes\n"
               "  Benchmarks/run                            all, at most an hour\n"
               "  Benchmarks/run 32x32 64x1 --rounds 9      two scenarios\n"
               "  Benchmarks/run idle --peers heliograph h2o")
    parser.add_argument("scenarios", nargs="*", help="by name; see --list")
    parser.add_argument("--quick", action="store_true", help="the headline scenarios, three rounds")
    parser.add_argument("--rounds", type=int, help="rounds of each scenario [default: 5, quick: 3]")
    parser.add_argument("--peers", nargs="*", help="only these beside heliograph")
    parser.add_argument("--results", type=pathlib.Path, default=machine.ROOT / "Benchmarks/results")
    parser.add_argument("--list", action="store_true", help="name the scenarios and their peers")
    options = parser.parse_args()
    if options.list:
        for scenario in SCENARIOS:
            print(f"{scenario.name:<14} {scenario.title} ({', '.join(scenario.peers)})")
        return
    known = {scenario.name for scenario in SCENARIOS}
    for name in options.scenarios:
        if name not in known:
            machine.fail(f"there is no scenario '{name}'; see Benchmarks/run --list")
    chosen = [scenario for scenario in SCENARIOS if scenario.name in options.scenarios] if options.scenarios else [
        scenario for scenario in SCENARIOS if scenario.quick or not options.quick]
    chosen = [scenario for scenario in chosen if options.quick or options.scenarios or scenario.name != "idle-quick"]
    with tempfile.TemporaryDirectory() as directory:
        run(chosen, options, pathlib.Path(directory))


def run(chosen, options, work):
    wanted = {name for scenario in chosen for name in scenario.peers}
    if options.quick:
        wanted &= {"heliograph", "floor", "nghttpd", "h2o", "nginx", "node", "swift-nio"}
    if options.peers is not None:
        wanted &= {"heliograph", *options.peers}
    usable = {peer.name: peer for peer in peers.ALL if peer.name in wanted and peer(work).available()}
    for name in sorted(wanted - set(usable)):
        print(f"without {name}: it is not installed", file=sys.stderr)
    peers.prepare(work, usable)
    described = machine.description()
    print(described)
    versions = [(name, peer(work).version()) for name, peer in usable.items()]
    print("; ".join(f"{name} {version}" for name, version in versions) + "\n")
    context = Context(work, options.rounds or (3 if options.quick else None))
    results = []
    for scenario in chosen:
        servers = peers.make(work, [name for name in scenario.peers if name in usable])
        try:
            for server in servers:
                server.start()
            result = scenario.run(servers, context)
        finally:
            for server in servers:
                server.stop()
        context.progress("")
        results.append((scenario.name, result))
        print(report.markdown(result), flush=True)
        report.write(options.results, described, versions, results, datetime.date.today().isoformat())
    if table := budgets.markdown(results):
        print(table)
    print(f"written to {options.results}/results.md")


main()
