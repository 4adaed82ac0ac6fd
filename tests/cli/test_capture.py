#!/usr/bin/env python3
"""Captures from the outside: what a telescope's capture holds is counted exactly, and other programs count the same.

Usage: test_capture.py BINARY. Prints one line a test."""
import json
import shutil
import subprocess

from cli import BINARY, Skip, run_tests, telescope

WATCHED = "198.18.0.0/16,2001:db8:8000::/48"


def run(*args):
    done = subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, (args, done.returncode, done.stderr)
    return done.stdout


def imported(path, data, *more):
    return json.loads(run("import", "--json", "--data", data, "--sensor", "t", "--watched", WATCHED, *more, path))["files"][0]


def rows(data, *more):
    whole = ("--from", "2005-12-31", "--until", "2006-01-02", "--top", "all", "--json")
    return {row["label"]: row for row in json.loads(run("top", "--data", data, *whole, *more))["rows"]}


def packets_by(data, each):
    return {label: row["packets"] for label, row in rows(data, "--each", each, "--kind", "all").items()}


def by_label(truth):
    """The truth's ports as Teiten ranks them: ICMP by type."""
    out = {}
    for one in truth["ports"]:
        proto, port = one["port"].split("/")
        label = f"{proto}/{port.split('.')[0]}" if proto.startswith("icmp") else f"{port}/{proto}"
        out[label] = out.get(label, 0) + one["packets"]
    return out


def test_import_counts_what_the_telescope_wrote(folder):
    path, data = f"{folder}/t.pcap", f"{folder}/d"
    truth = telescope(path, "--packets", "300000", "--odd", "0.1")
    f = imported(path, data)
    assert f["read"] == truth["packets"] == 300000 and f["counted"] == truth["counted"], (f, truth["counted"])
    assert {r["reason"]: r["rows"] for r in f["refused"]} == {k: v for k, v in truth["refused"].items() if v}, f["refused"]
    assert f["counted"] + sum(r["rows"] for r in f["refused"]) == f["read"]
    assert packets_by(data, "kind") == {k: v for k, v in truth["kinds"].items() if v}
    assert packets_by(data, "proto") == {k: v for k, v in truth["protos"].items() if v}
    assert packets_by(data, "port") == by_label(truth)
    assert rows(data, "--each", "nothing", "--kind", "all").popitem()[1]["sources"] == truth["sources"]


def test_marks_are_those_of_the_tools(folder):
    path, data = f"{folder}/t.pcap", f"{folder}/d"
    truth = telescope(path, "--packets", "200000")
    imported(path, data)
    marked = packets_by(data, "mark")
    for tool in ("zmap", "masscan", "mirai"):       # other packets meet a relation once in 65,536
        assert 0 <= marked[tool] - truth["tools"][tool]["labelled"] <= 20, (tool, marked, truth["tools"])
    for tool in ("nmap", "unicornscan"):            # told by the second packet of a source, and by repeated numbers not at all
        wrote = truth["tools"][tool]
        assert .92 * (wrote["packets"] - wrote["sources"]) <= marked[tool] <= wrote["packets"] - wrote["sources"] + 5, (tool, marked, wrote)


def test_capture_is_the_same_for_the_same_seed_and_larger_than_a_tally(folder):
    a, b = f"{folder}/a.pcap", f"{folder}/b.pcap"
    truth = telescope(a, "--packets", "700000", "--sources", "4000000", "--length", "60")
    telescope(b, "--packets", "700000", "--sources", "4000000", "--length", "60")
    with open(a, "rb") as x, open(b, "rb") as y:
        assert x.read() == y.read()
    f = imported(a, f"{folder}/d")
    assert f["batches"] > 1 and f["counted"] == truth["counted"], f["batches"]
    assert rows(f"{folder}/d", "--each", "nothing", "--kind", "all").popitem()[1]["packets"] == truth["counted"]


def test_tcpdump_reads_every_frame(folder):
    if not shutil.which("tcpdump"):
        raise Skip("tcpdump is not there")
    path = f"{folder}/t.pcap"
    truth = telescope(path, "--packets", "20000")
    for words, want in (("", truth["packets"]), ("arp", truth["refused"]["not-ip"]), ("vlan", truth["tagged"])):
        done = subprocess.run(["tcpdump", "-n", "-q", "-t", "-r", path, *words.split()], capture_output=True, text=True, timeout=60)
        assert len(done.stdout.splitlines()) == want, (words, len(done.stdout.splitlines()), want, done.stderr[:200])


run_tests("capture", globals())
