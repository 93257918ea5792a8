"""Times the training step of this project and of its peers in turn, and prints tables in Markdown.

Started by scripts/compare, which builds the programs and installs PyTorch.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

# Network, width, batch.
CASES = [("mnist", 32, 64), ("mnist", 64, 64), ("faces", 32, 16)]
# Losses and gradients agree if the norm of their difference is at most this share of their norm. Of millions of activations
# a few are so near zero that rounding decides their sign, which changes the norm of gradients by thousandths.
LOSS_TOLERANCE, GRADIENT_TOLERANCE = 1e-5, 1e-2


def number(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not at least 1")
    return value


class Failure(Exception):
    """A program that failed, with the last line of what it said."""


def output(*command):
    command = [str(word) for word in command]
    try:
        # A backtrace would hide the reason.
        environment = {**os.environ, "RUST_BACKTRACE": "0"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
    except OSError as error:
        raise Failure(f"{command[0]}: {error.strerror}")
    if done.returncode != 0:
        print(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}", file=sys.stderr)
        lines = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("note:")]
        raise Failure(lines[-1].strip() if lines else f"exit status {done.returncode}")
    return done.stdout


def measured(command, trace, steps):
    """What a peer prints after it has compared itself with the trace, or the reason why it failed."""
    try:
        result = json.loads(output(*command, trace, "--steps", steps))
    except Failure as failure:
        return {"failed": str(failure)}
    loss, gradient = (result[f"worst_{what}_difference"] for what in ["loss", "gradient"])
    # A NaN is no agreement.
    if not (loss <= LOSS_TOLERANCE and gradient <= GRADIENT_TOLERANCE):
        result["failed"] = f"losses differ by {loss:.0e}, gradients by {gradient:.0e}"
    return result


def failure(results):
    return next((result["failed"] for result in results if "failed" in result), None)


def compare(network, width, batch, peers, arguments):
    """The results of this project, and those of each peer up to its first failure."""
    ours, theirs = [], {name: [] for name in peers}
    examples = arguments.target / "release/examples"
    size = ["--network", network, "--width", width, "--batch", batch]
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        trace, step = work / "trace.safetensors", work / "step.json"
        output(examples / "train", "--out", work / "run", "--steps", 1, *size, "--trace", trace)
        for _ in range(arguments.rounds):
            output(examples / "step_time", *size, "--steps", arguments.steps, "--json", step)
            ours.append(json.loads(step.read_text()))
            for name, command in peers.items():
                if not failure(theirs[name]):
                    theirs[name].append(measured(command, trace, arguments.steps))
    return ours, theirs


def median(results, value="median_ms"):
    return statistics.median(result[value] for result in results)


def cell(results, text):
    """A peer's cell: the text, or why there is none."""
    reason = failure(results)
    return "failed: " + reason.replace("|", r"\|") if reason else text(results)


def table(*rows):
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def main():
    parser = argparse.ArgumentParser(prog="scripts/compare", allow_abbrev=False)
    parser.add_argument("--peers", default="pytorch,burn,candle", help="with whom to compare [default: %(default)s]")
    parser.add_argument("--rounds", type=number, default=3, help="how often each side is timed, in turn [default: 3]")
    parser.add_argument("--steps", type=number, default=10, help="timed steps per round [default: 10]")
    parser.add_argument("--json", type=pathlib.Path, help="file for all measurements")
    parser.add_argument("--target", type=pathlib.Path, default="target", help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    commands = {
        "pytorch": [sys.executable, pathlib.Path(__file__).with_name("pytorch.py")],
        "burn": [arguments.target / "peers/burn/release/burn-peer"],
        "candle": [arguments.target / "peers/candle/release/candle-peer"],
    }
    names = arguments.peers.split(",")
    if unknown := set(names) - set(commands):
        parser.error(f"no peer is named {', '.join(unknown)}; there are {', '.join(commands)}")
    peers = {name: commands[name] for name in names}
    if arguments.json and not os.access(arguments.json if arguments.json.exists() else arguments.json.parent, os.W_OK):
        parser.error(f"--json {arguments.json} cannot be written")
    if arguments.check:
        return

    everything, times, differences = [], [], []
    for network, width, batch in CASES:
        try:
            ours, theirs = compare(network, width, batch, peers, arguments)
        except Failure as error:
            sys.exit(f"this project failed: {error}")
        everything.append({"ours": ours, "theirs": theirs})
        case, own = f"{network}, w = {width}, batch {batch}", median(ours)
        time = lambda results: f"{median(results):.0f} ms, {own / median(results):.2f}"
        difference = lambda results: ", ".join(
            f"{median(results, f'worst_{what}_difference'):.0e}" for what in ["loss", "gradient"]
        )
        share = f"{100 * median(ours, 'share_of_roof'):.1f} % of the roof"
        times.append([case, f"{own:.0f} ms, {share}", *(cell(theirs[name], time) for name in peers)])
        differences.append([case, *(cell(theirs[name], difference) for name in peers)])

    print("This project on {adapter}, {driver}".format(**everything[0]["ours"][0]), end="")
    # A peer that failed may still have said what it is.
    for name in peers:
        said = (result for case in everything for result in case["theirs"][name] if "peer" in result)
        print("; {peer} on {device}".format(**next(said, {"peer": name, "device": "no device"})), end="")
    print(f".\nMedians of {arguments.rounds} rounds in turn of {arguments.steps} steps each.\n")
    print("Time of a step; for a peer, also the ratio of this project's time to it:\n")
    print(table(["training step", "this project", *peers], *times))
    print("\nDifferences of losses and of gradients from the same parameters:\n")
    print(table(["training step", *peers], *differences))
    if arguments.json:
        arguments.json.write_text(json.dumps(everything, indent=2))
    if any(failure(results) for case in everything for results in case["theirs"].values()):
        sys.exit("a peer failed")


main()
