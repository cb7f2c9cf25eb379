"""campaign_report.py --target LABEL --folder FOLDER --seeds FOLDER [--covered PROGRAM] [--workspace FOLDER] -- PROGRAM [FLAG...]

What the runs of a fuzz target with one output folder have reached and found: FOLDER/campaign.html, without any network, and
FOLDER/campaign.md, for a comment. The launcher calls it for --report. It is made of

    progress.jsonl     what each run wrote down as it went (fuzzers/progress.h)
    PROGRAM --survey   the states and the times of all inputs of the corpus and of the seeds
    PROGRAM --triage   the bugs among the artifacts; their timelines go to FOLDER/timelines
    --covered          the same program with source coverage: what the corpus and the seeds reach of the code under test; its
                       sources in the --workspace go to FOLDER/source_coverage, with counts

The two documents are written anew each time, and what is made for these folders; beside that only the reproducers of --triage
are written.
"""

import argparse
import collections
import datetime
import errno
import html
import json
import os
import subprocess
import sys

import source_coverage

SLOWEST = 10

STYLE = """
:root { color-scheme: light dark; --fg: #1b1b1f; --bg: #fff; --dim: #667; --line: #d5d5de; --mark: #2a6; --none: #f3e3e3; }
@media (prefers-color-scheme: dark) {
  :root { --fg: #e6e6ea; --bg: #16161a; --dim: #99a; --line: #383842; --mark: #4c9; --none: #3a2428; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--fg); background: var(--bg); max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 0.5rem 0 1.5rem; }
th, td { border: 1px solid var(--line); padding: 0.2rem 0.5rem; text-align: left; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
td.never { background: var(--none); text-align: center; color: var(--dim); }
code { font-size: 13px; overflow-wrap: anywhere; }
svg { width: 100%; height: auto; max-width: 46rem; display: block; }
svg text { fill: var(--dim); font-size: 12px; }
svg polyline { fill: none; stroke: var(--mark); stroke-width: 2; }
svg line { stroke: var(--line); }
.wide { overflow-x: auto; }
"""


def fail(message):
    """Ends with the status of a request that cannot be met."""
    print(f"campaign_report: {message}", file=sys.stderr)
    sys.exit(2)


def write_whole(path, text):
    """What is there stays until all is written, and nothing is left of what could not be."""
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError as error:
        if os.path.lexists(temporary):
            os.remove(temporary)
        raise OSError(error.errno, error.strerror, path) from error


def run_json(command, good):
    """The JSON that a command prints; it has to end with one of the statuses `good`."""
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            errors="replace", check=False)
    if result.returncode not in good:
        fail(f"{' '.join(command)}: status {result.returncode}\n{result.stderr.strip()}")
    return json.loads(result.stdout)


def read_progress(path):
    """The lines of progress.jsonl, a list for each run. A line that was cut off at its end is left out."""
    runs = collections.OrderedDict()
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                entry = json.loads(line)
                runs.setdefault(entry["began"], []).append(entry)
            except (ValueError, KeyError, TypeError):
                continue
    return list(runs.values())


class Totals:
    """All runs, one after another: at which time there had been how many executions, and how many features at most."""

    def __init__(self, runs):
        self.points = []
        self.seconds = self.executions = self.features = self.steps = 0
        for entries in runs:
            for entry in entries:
                self.features = max(self.features, entry["features"])
                self.points.append((self.seconds + entry["seconds"], self.executions + entry["executions"], self.features))
            self.seconds += entries[-1]["seconds"]
            self.executions += entries[-1]["executions"]
            self.steps += entries[-1]["steps"]


def grouped(number):
    """1234567 as 1,234,567."""
    return f"{number:,}"


def counted(number, what):
    """1 file, 2 files."""
    return f"{grouped(number)} {what}{'' if number == 1 else 's'}"


def duration(seconds):
    """Seconds as people say them."""
    seconds = int(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds // 60 % 60} min"


def chart(points, title):
    """An SVG of (seconds, value)."""
    width, height, left, bottom = 640, 200, 90, 24
    if len(points) < 2:
        return ""
    most_x = max(x for x, _ in points) or 1
    most_y = max(y for _, y in points) or 1
    place = " ".join(f"{left + (width - left) * x / most_x:.1f},{(height - bottom) * (1 - y / most_y) + 8:.1f}" for x, y in points)
    base = height - bottom + 8
    return (f'<figure><figcaption>{html.escape(title)}</figcaption><svg viewBox="0 0 {width + 10} {height + 12}" role="img" '
            f'aria-label="{html.escape(title)}: {grouped(most_y)} after {duration(most_x)}">'
            f'<line x1="{left}" y1="{base}" x2="{width}" y2="{base}"/><line x1="{left}" y1="8" x2="{left}" y2="{base}"/>'
            f'<polyline points="{place}"/><text x="{left - 6}" y="16" text-anchor="end">{grouped(most_y)}</text>'
            f'<text x="{left - 6}" y="{base}" text-anchor="end">0</text>'
            f'<text x="{width}" y="{height + 10}" text-anchor="end">{duration(most_x)}</text></svg></figure>')


class States:
    """Which states of the locks were reached in which operations, by how many inputs."""

    def __init__(self, survey):
        self.inputs = {(row["state"], row["operation"]): row["inputs"] for row in survey["states"]}
        self.states = sorted({state for state, _ in self.inputs})
        self.named = survey["operations"]
        # What happens outside of any has a column of its own.
        self.operations = self.named + sorted({operation for _, operation in self.inputs} - set(self.named))

    def never(self):
        """Pairs of which each half was reached, but not both together."""
        return [(state, operation) for state in self.states for operation in self.named
                if (state, operation) not in self.inputs]

    def unused(self):
        """Operations that no input has."""
        return [operation for operation in self.named if all(o != operation for _, o in self.inputs)]


def make_timelines(bugs, program, folder):
    """A page for each bug that can be replayed. Its file, by the bug's reproducer."""
    pages = {}
    for bug in bugs:
        os.makedirs(os.path.join(folder, "timelines"), exist_ok=True)
        name = os.path.splitext(os.path.basename(bug["reproducer"]))[0] + ".html"
        path = os.path.join(folder, "timelines", name)
        subprocess.run(program + ["--replay", bug["reproducer"], "--html", path, "--force"], stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if os.path.exists(path):
            pages[bug["reproducer"]] = "timelines/" + name
    return pages


def share(part):
    """(3, 4) as people say it."""
    reached, of_all = part
    return f"{100 * reached / of_all:.1f} %" if of_all else "all"


class Report:
    """All that the two documents say."""

    def __init__(self, arguments):
        self.target = arguments.target
        self.folder = arguments.folder
        self.runs = read_progress(os.path.join(self.folder, "progress.jsonl"))
        self.totals = Totals(self.runs)
        corpus = os.path.join(self.folder, "corpus")
        self.survey = run_json(arguments.program + ["--survey", corpus, arguments.seeds], {0})
        self.states = States(self.survey)
        artifacts = os.path.join(self.folder, "artifacts")
        self.bugs = []
        if os.path.isdir(artifacts):
            self.bugs = run_json(arguments.program + ["--triage", artifacts, "--json"], {0, 1})["bugs"]
        self.timelines = make_timelines(self.bugs, arguments.program, self.folder)
        self.workspace = arguments.workspace
        self.sources = None
        if arguments.covered:
            inputs = [folder for folder in (corpus, arguments.seeds) if os.path.isdir(folder)]
            self.sources = source_coverage.measure(arguments.covered, inputs, self.workspace, os.path.join(self.folder, "source_coverage"))
        self.slowest = sorted(self.survey["inputs"], key=lambda entry: (-entry["seconds"], entry["path"]))[:SLOWEST]

    def facts(self):
        """(name, value) of what a reader wants to know first."""
        totals = self.totals
        began = [run[0]["began"] for run in self.runs]
        facts = [("target", self.target), ("bugs", grouped(len(self.bugs)))]
        if began:
            first = datetime.datetime.fromtimestamp(began[0], datetime.timezone.utc)
            facts += [("runs", f"{len(began)}, the first at {first:%Y-%m-%d %H:%M} UTC, {duration(totals.seconds)} together"),
                      ("executions", grouped(totals.executions) + (f", {grouped(int(totals.executions / totals.seconds))} a second"
                                                                   if totals.seconds else "")),
                      ("features", grouped(totals.features))]
            if totals.steps:
                facts.append(("steps", grouped(totals.steps)))
        facts.append(("inputs", f"{grouped(len(self.survey['inputs']))} in the corpus and the seeds"))
        pairs = len(self.states.inputs)
        facts.append(("lock states", f"{len(self.states.states)}, in {pairs} pairs with an operation; "
                                     f"{len(self.states.never())} pairs never"))
        if self.sources:
            lines, branches = self.sources_together()
            facts.append(("source coverage", f"{share(lines)} of the lines, {share(branches)} of the directions of branches"))
        return facts

    def sources_together(self):
        """(reached, all) lines, and the same of branches, of all files."""
        files = self.sources.values()
        return tuple(tuple(map(sum, zip(*(file.reached(counts(file)) for file in files))))
                     for counts in (lambda file: file.lines, lambda file: file.branches))

    def markdown(self):
        """For a comment: the facts, the bugs, what was never reached."""
        lines = [f"## Fuzzing {self.target}", "", "| | |", "|---|---|"]
        lines += [f"| {name} | {value} |" for name, value in self.facts()]
        lines += ["", "### Bugs", ""]
        if not self.bugs:
            lines.append("None.")
        for bug in self.bugs:
            lines += [f"* `{bug['signature']}`: {counted(len(bug['files']), 'file')}, first {bug['first_seen']}, "
                      f"reproduces {bug['reproduced']} of {bug['replays']}",
                      f"  `{bug['replay']}`"]
        if self.states.unused():
            lines += ["", "### Operations that no input has", ""] + [f"* {operation}" for operation in self.states.unused()]
        never = self.states.never()
        if never:
            lines += ["", f"<details><summary>{len(never)} pairs of a state and an operation were never reached</summary>", ""]
            lines += [f"* {operation}: {state}" for state, operation in never] + ["", "</details>"]
        if self.sources:
            lines += ["", "### Source coverage", "", "| file | lines | branches | lines not reached |", "|---|---|---|---|"]
            lines += [f"| {name} | {share(file.reached(file.lines))} | {share(file.reached(file.branches))} | {file.missing()} |"
                      for name, file in self.sources.items()]
        lines += ["", "### Slowest inputs", "", "| input | steps | microseconds |", "|---|---|---|"]
        lines += [f"| {os.path.basename(entry['path'])} | {entry['steps']} | {entry['seconds'] * 1e6:.0f} |" for entry in self.slowest]
        return "\n".join(lines) + "\n"

    def bugs_table(self):
        """HTML."""
        if not self.bugs:
            return "<p>None.</p>"
        rows = []
        for bug in self.bugs:
            signature = html.escape(bug["signature"])
            page = self.timelines.get(bug["reproducer"])
            if page:
                signature = f'<a href="{html.escape(page)}">{signature}</a>'
            rows.append(f'<tr><td>{signature}</td><td class="number">{len(bug["files"])}</td><td>{html.escape(bug["first_seen"])}</td>'
                        f'<td>{bug["reproduced"]} of {bug["replays"]}</td><td><code>{html.escape(bug["replay"])}</code></td></tr>')
        return ("<table><tr><th>failure, and its timeline</th><th>files</th><th>first seen</th><th>reproduces</th><th>replay</th></tr>"
                + "".join(rows) + "</table>")

    def states_table(self):
        """HTML: a row for each state, a column for each operation."""
        head = "".join(f"<th>{html.escape(operation)}</th>" for operation in self.states.operations)
        rows = []
        for state in self.states.states:
            cells = ""
            for operation in self.states.operations:
                inputs = self.states.inputs.get((state, operation))
                cells += f'<td class="number">{grouped(inputs)}</td>' if inputs else '<td class="never">never</td>'
            rows.append(f"<tr><th>{html.escape(state)}</th>{cells}</tr>")
        return f'<div class="wide"><table><tr><th>state</th>{head}</tr>{"".join(rows)}</table></div>'

    def sources_table(self):
        """HTML."""
        if self.sources is None:
            return f"<p>Not measured: <code>bazel run {html.escape(self.target)}_report</code> does.</p>"
        if not self.sources:
            return "<p>No code of the workspace was found in the program.</p>"
        rows = ""
        for name, file in self.sources.items():
            lines, branches = file.reached(file.lines), file.reached(file.branches)
            rows += (f'<tr><td>{html.escape(name)}</td><td class="number">{lines[0]} of {lines[1]}</td><td class="number">{share(lines)}</td>'
                     f'<td class="number">{branches[0]} of {branches[1]}</td><td class="number">{share(branches)}</td>'
                     f'<td>{file.missing()}</td></tr>')
        link = '<p><a href="source_coverage/index.html">The sources with counts</a></p>' if self.workspace else ""
        return (link + '<div class="wide"><table><tr><th>file</th><th colspan="2">lines reached</th>'
                f'<th colspan="2">directions of branches</th><th>lines not reached</th></tr>{rows}</table></div>')

    def page(self):
        """The whole of campaign.html."""
        facts = "".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in self.facts())
        points = self.totals.points
        slow = "".join(f'<tr><td><code>{html.escape(os.path.basename(entry["path"]))}</code></td><td class="number">{entry["steps"]}</td>'
                       f'<td class="number">{entry["seconds"] * 1e6:.0f}</td></tr>' for entry in self.slowest)
        return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Fuzzing {html.escape(self.target)}</title>
<style>{STYLE}</style></head><body>
<h1>Fuzzing {html.escape(self.target)}</h1>
<table>{facts}</table>
<h2>Bugs</h2>
{self.bugs_table()}
<h2>Executions and features over time</h2>
{chart([(x, y) for x, y, _ in points], "executions") or "<p>No run has written down how it went.</p>"}
{chart([(x, y) for x, _, y in points], "features")}
<h2>States of the locks, and operations</h2>
<p>How many inputs of the corpus and of the seeds reach a state in an operation. <em>never</em>: some input reaches the state, and
some has the operation, but none the one in the other; that may be impossible, or it is what is missing.</p>
{self.states_table()}
<h2>Source coverage</h2>
{self.sources_table()}
<h2>Slowest inputs</h2>
<table><tr><th>input</th><th>steps</th><th>microseconds</th></tr>{slow}</table>
</body></html>
"""


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--target", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--seeds", required=True)
    parser.add_argument("--covered", default="")
    parser.add_argument("--workspace", default="")
    parser.add_argument("program", nargs="+")
    arguments = parser.parse_args()
    try:
        if not os.access(arguments.folder, os.W_OK | os.X_OK):  # before the work
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), arguments.folder)
        report = Report(arguments)
        for name, text in (("campaign.html", report.page()), ("campaign.md", report.markdown())):
            path = os.path.join(report.folder, name)
            write_whole(path, text)
            print(path)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror} (is the folder read-only, or the disk full?)")


if __name__ == "__main__":
    sys.exit(main())
