#!/usr/bin/env python3
"""The manual and --help say the same: every command has a page, and the page lists its options, no more and no fewer.

Usage: test_help.py BINARY. Prints one line a test."""
import glob
import os
import re
import subprocess
import sys
import tempfile

BINARY = os.path.abspath(sys.argv[1])
ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
DOC = os.path.join(ROOT, "doc")
failed = False


def words(*args):
    return subprocess.run([BINARY, "help", "--words", *args], capture_output=True, text=True, check=True).stdout.split()


def tell(name, problem):
    global failed
    failed = failed or bool(problem)
    print(f"not ok {name}: {problem}" if problem else f"ok {name}")


def page_problem(command):
    path = os.path.join(DOC, f"teiten-{command}.1")
    if not os.path.exists(path):
        return "no page"
    text = open(path, encoding="utf-8").read()
    listed = {"--" + m for m in re.findall(r"^\.It Fl -([a-z-]+)", text, re.M)} - {"--help"}
    known = set(words(command))
    if listed != known:
        return f"page only: {sorted(listed - known)}; program only: {sorted(known - listed)}"
    # without its words, groff would show the program's name alone
    bare = [line for line in re.search(r"^\.Sh SYNOPSIS$(.*?)^\.Sh", text, re.M | re.S).group(1).splitlines() if line.startswith(".Nm") and line != f".Nm teiten {command}"]
    if bare:
        return f"in the synopsis: {bare}"
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path], capture_output=True, text=True)
    return lint.stdout.strip().replace("\n", "; ") if lint.returncode else ""


def help_problem(command):
    done = subprocess.run([BINARY, command, "--help"], capture_output=True, text=True)
    if done.returncode != 0 or not done.stdout.startswith(f"usage: teiten {command}"):
        return f"status {done.returncode}: {done.stdout[:60]!r}"
    return next((f"{o} is not in --help" for o in words(command) if o not in done.stdout), "")


def units_problem():
    """What is installed elsewhere is started there."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["make", "-s", "install", f"BUILD={os.path.dirname(BINARY)}", f"DESTDIR={folder}", "PREFIX=/opt/t"], cwd=ROOT, capture_output=True, text=True)
        units = glob.glob(f"{folder}/opt/t/lib/systemd/system/*.service")
        lines = [line for unit in units for line in open(unit, encoding="utf-8") if line.startswith("ExecStart=")]
    return "" if lines and all(line.startswith("ExecStart=/opt/t/bin/teiten ") for line in lines) else f"{lines} {done.stderr[-300:]}"


commands = words()
for one in commands:
    tell(f"manual of {one} lists the options of {one}", page_problem(one))
    tell(f"help of {one} lists the options of {one}", help_problem(one))
overview = open(os.path.join(DOC, "teiten.1"), encoding="utf-8").read() if os.path.exists(os.path.join(DOC, "teiten.1")) else ""
tell("the overview names every command", ", ".join(c for c in commands if not re.search(rf"teiten-{c} 1", overview)))
tell("installed units start the program where it is installed", units_problem())
sys.exit(1 if failed else 0)
