"""Times the training step of this project and of PyTorch in turn, and prints a table in Markdown.

Started by scripts/compare, which builds the programs and installs PyTorch.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

# Network, width, batch.
CASES = [("mnist", 32, 64), ("mnist", 64, 64), ("faces", 32, 16)]
# Losses and gradients agree if the norm of their difference is at most this share of their norm.
TOLERANCE = 2e-3


def output(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def main():
    parser = argparse.ArgumentParser(prog="scripts/compare")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side is timed, in turn [default: 3]")
    parser.add_argument("--steps", type=int, default=10, help="timed steps per round [default: 10]")
    parser.add_argument("--json", type=pathlib.Path, help="file for all measurements")
    parser.add_argument("--examples", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    peer = pathlib.Path(__file__).with_name("pytorch.py")
    rows, everything = [], []
    with tempfile.TemporaryDirectory() as work:
        measured = pathlib.Path(work) / "step.json"
        for i, (network, width, batch) in enumerate(CASES):
            trace = pathlib.Path(work) / f"{i}.safetensors"
            size = ["--network", network, "--width", width, "--batch", batch]
            run = pathlib.Path(work) / f"run-{i}"
            output(arguments.examples / "train", "--out", run, "--steps", 1, *size, "--trace", trace)
            checked = json.loads(output(sys.executable, peer, trace, "--steps", 1))
            loss, gradient = (checked[f"worst_{what}_difference"] for what in ["loss", "gradient"])
            # A NaN is no agreement.
            if not (loss <= TOLERANCE and gradient <= TOLERANCE):
                sys.exit(f"{network}, width {width}: losses differ by {loss:.1e}, gradients by {gradient:.1e}")
            ours, theirs = [], []
            for _ in range(arguments.rounds):
                output(arguments.examples / "step_time", *size, "--steps", arguments.steps, "--json", measured)
                ours.append(json.loads(measured.read_text()))
                theirs.append(json.loads(output(sys.executable, peer, trace, "--steps", arguments.steps)))
            everything.append({"ours": ours, "theirs": theirs})
            median = [statistics.median(one["median_ms"] for one in side) for side in (ours, theirs)]
            share = statistics.median(one["share_of_roof"] for one in ours)
            rows.append(
                f"| {network}, w = {width}, batch {batch} | {median[0]:.0f} ms, {100 * share:.1f} % of the roof "
                f"| {median[1]:.0f} ms | {median[0] / median[1]:.2f} | {loss:.0e} | {gradient:.0e} |"
            )
    ours, theirs = everything[0]["ours"][0], everything[0]["theirs"][0]
    print(f"This project on {ours['adapter']}, {ours['driver']}; {theirs['peer']} on {theirs['device']}.")
    print(f"Medians of {arguments.rounds} rounds in turn of {arguments.steps} steps each.\n")
    print("| training step | this project | PyTorch | ratio | losses differ by | gradients differ by |")
    print("|---|---|---|---|---|---|")
    print("\n".join(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(everything, indent=2))


main()
