#!/usr/bin/env python3
"""The manual and --help say the same: every command has a page, and the page lists its options, no more and no fewer.

Usage: test_help.py BINARY. Prints one line a test."""
import os
import re
import subprocess
import sys

BINARY = os.path.abspath(sys.argv[1])
DOC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "doc")
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
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path], capture_output=True, text=True)
    return lint.stdout.strip().replace("\n", "; ") if lint.returncode else ""


def help_problem(command):
    done = subprocess.run([BINARY, command, "--help"], capture_output=True, text=True)
    if done.returncode != 0 or not done.stdout.startswith(f"usage: teiten {command}"):
        return f"status {done.returncode}: {done.stdout[:60]!r}"
    return next((f"{o} is not in --help" for o in words(command) if o not in done.stdout), "")


commands = words()
for one in commands:
    tell(f"manual of {one} lists the options of {one}", page_problem(one))
    tell(f"help of {one} lists the options of {one}", help_problem(one))
overview = open(os.path.join(DOC, "teiten.1"), encoding="utf-8").read() if os.path.exists(os.path.join(DOC, "teiten.1")) else ""
tell("the overview names every command", ", ".join(c for c in commands if not re.search(rf"teiten-{c} 1", overview)))
sys.exit(1 if failed else 0)
