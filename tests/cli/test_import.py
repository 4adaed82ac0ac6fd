#!/usr/bin/env python3
"""teiten import, from the outside: what goes in comes out of `top` exactly, twice is once, and nothing is refused in silence.

Usage: test_import.py BINARY. Prints one line a test; real captures and logs are read where ${TEITEN_SHARED:-../shared}/data
is there, and are skipped, saying so, where it is not."""
import collections
import csv
import datetime
import gzip
import json
import lzma
import os
import struct
import subprocess
import sys
import tempfile
import time

from cli import BINARY, Skip

DATA = os.path.join(os.environ.get("TEITEN_SHARED", "../shared"), "data")
MARX = os.path.join(DATA, "aws-marx-2013", "marx-dev-20130303-20130531.csv.gz")
MARX_MAP = "time=datetime,sensor=host,src=src,proto=proto,dport=dpt,sport=spt,type=type"
MHN_MAP = ("time=timestamp,sensor=ident,src=attackerIP,sport=attackerPort,dst=victimIP,dport=victimPort,"
           "proto=connectionTransport")
CAPTURES = ["tcpdump-tests", "pcapng-suite", "libtrace-traces", "pcap-ddos", "pcap-scanners", "zeek-traces"]
SECONDS_MAX = 1.0


def run(*args, stdin=None):
    return subprocess.run([BINARY, *args], input=stdin, capture_output=True, timeout=120, check=False)


def report(*args, stdin=None, status=0):
    """The report of one import, and what it wrote on standard error."""
    r = run("import", "--json", *args, stdin=stdin)
    assert r.returncode == status, f"status {r.returncode}, want {status}: {r.stderr.decode()[:300]}"
    return json.loads(r.stdout)["files"], r.stderr.decode()


def top(data, *args):
    r = run("top", "--data", data, "--json", "--top", "all", *args)
    assert r.returncode == 0, r.stderr.decode()[:300]
    return {row["label"]: (row["packets"], row["sources"]) for row in json.loads(r.stdout)["rows"]}


def needed(path):
    if not os.path.exists(path):
        raise Skip(f"{path} is not there")
    return path


def adds_up(f):
    """Every row read is counted or refused under exactly one reason that names its first line."""
    assert f["read"] == f["counted"] + sum(r["rows"] for r in f["refused"]), f
    assert all(r["first"] > 0 and r["text"] for r in f["refused"]), f["refused"]


def label(row):
    proto = row["proto"].lower()
    return f"icmp/{row['type']}" if proto == "icmp" else f"{row['dpt']}/{proto}"


def tables(rows):
    packets, sources = collections.Counter(), collections.defaultdict(set)
    for row in rows:
        packets[label(row)] += 1
        sources[label(row)].add(row["src"])
    return {k: (n, len(sources[k])) for k, n in packets.items()}


def same(got, want, what):
    assert got == want, f"{what}: {[(k, got.get(k), want.get(k)) for k in got.keys() | want.keys() if got.get(k) != want.get(k)][:5]}"


def small_csv(rows=50):
    out = ["time,sensor,src,proto,dport"]
    for i in range(rows):
        out.append(f"2024-03-17 {(i * 7) % 24:02d}:{i % 60:02d}:00,s{i % 3},198.51.100.{i % 20},tcp,{[23, 445, 80][i % 3]}")
    return ("\n".join(out) + "\n").encode()


def small_pcap(frames=5, link=101, start=1710633600):
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    for i in range(frames):
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40, i, 0, 60, 6, 0, bytes([198, 51, 100, i]), bytes([192, 0, 2, i % 2]))
        tcp = struct.pack(">HHIIBBHHH", 40000, 23, 1, 0, 0x50, 2, 1024, 0, 0)
        out += struct.pack("<IIII", start + 60 * i, 0, 40, 40) + ip + tcp
    return out


LOG = ("Mar 17 00:00:54 gate kernel: [1.5] [UFW BLOCK] IN=eth0 OUT= MAC=52:54:00 SRC=198.51.100.7 DST=192.0.2.1 LEN=44 "
       "TTL=38 ID=5 PROTO=TCP SPT=14668 DPT=22470 WINDOW=1024 RES=0x00 SYN URGP=0 \n"
       "Mar 17 00:01:00 gate sshd[5]: nothing of ours\n")


def write(name, content):
    with open(name, "wb") as f:
        f.write(content)
    return name


def test_counts_the_honeypots_exactly():
    needed(MARX)
    with gzip.open(MARX, "rt", newline="") as f:
        rows = list(csv.DictReader(f))
    files, _ = report("--data", "d", "--map", MARX_MAP, MARX)
    assert files[0]["counted"] == files[0]["read"] == 187849 and len(files[0]["sensors"]) == 9, files[0]
    assert files[0]["span"]["from"].startswith("2013-03-03T21:53") and files[0]["looked_assumed"]
    whole = ("--from", "2013-03-01", "--until", "2013-06-02")
    same(top("d", *whole), tables(rows), "all")
    by_sensor, by_day = collections.defaultdict(list), collections.defaultdict(list)
    for row in rows:
        by_sensor[row["host"]].append(row)
        by_day[row["datetime"][:10]].append(row)
    for sensor, some in by_sensor.items():
        same(top("d", *whole, "--sensor", sensor), tables(some), sensor)
    for day, some in by_day.items():
        after = datetime.date.fromisoformat(day) + datetime.timedelta(1)
        same(top("d", "--from", day, "--until", str(after)), tables(some), day)
        sensor = sorted({row["host"] for row in some})[int(day[-2:]) % 3]
        same(top("d", "--from", day, "--until", str(after), "--sensor", sensor),
             tables(row for row in some if row["host"] == sensor), f"{day} {sensor}")


def test_counts_a_file_once_however_it_comes():
    plain = small_csv()
    write("f.csv", plain)
    write("f.csv.gz", gzip.compress(plain))
    write("f.csv.xz", lzma.compress(plain))
    files, _ = report("--data", "d", "f.csv")
    assert files[0]["counted"] == 50 and not files[0]["already_imported"], files
    before = top("d")
    for again in (["f.csv"], ["f.csv.gz"], ["f.csv.xz"]):
        files, _ = report("--data", "d", *again)
        assert files[0]["already_imported"] and files[0]["counted"] == 50, files
    files, _ = report("--data", "d", "-", stdin=gzip.compress(plain))
    assert files[0]["already_imported"] and files[0]["compression"] == "gzip", files
    same(top("d"), before, "top")
    files, _ = report("--data", "d", "--timezone", "Asia/Tokyo", "f.csv")       # another meaning, another epoch
    assert not files[0]["already_imported"], files


def test_counts_rows_in_any_order():
    head, *rows = small_csv().decode().splitlines(keepends=True)
    for name, order in (("a", rows), ("b", rows[::-1])):
        write(f"{name}.csv", (head + "".join(order)).encode())
        report("--data", name, f"{name}.csv")
    same(top("a"), top("b"), "order")


def test_reads_a_capture_for_the_sensor_that_is_named():
    write("f.pcap", small_pcap())
    files, _ = report("--data", "d", "--sensor", "edge", "f.pcap")
    f = files[0]
    assert f["counted"] == 5 and f["sensors"] == ["edge"] and f["every_direction"], f
    assert f["span"] == {"from": "2024-03-17T00:00:00+00:00", "until": "2024-03-17T00:05:00+00:00"}, f
    same(top("d", "--from", "2024-03-17", "--until", "2024-03-18"), {"23/tcp": (5, 5)}, "top")
    files, _ = report("--dry-run", "--sensor", "edge", "--watched", "192.0.2.0/32", "f.pcap")
    assert files[0]["counted"] == 3 and files[0]["refused"][0]["reason"] == "not-watched", files


def test_reads_a_log_for_the_host_that_wrote_it():
    write("f.log", LOG.encode())
    files, _ = report("--dry-run", "--year", "2024", "f.log")
    f = files[0]
    assert f["sensors"] == ["gate"] and f["counted"] == 1, f
    assert f["refused"] == [{"reason": "not-firewall", "text": f["refused"][0]["text"], "rows": 1, "first": 2}], f
    files, _ = report("--dry-run", "--year", "2024", "--timezone", "Asia/Tokyo", "--sensor", "mine", "f.log")
    assert files[0]["sensors"] == ["mine"] and files[0]["span"]["from"] == "2024-03-16T15:00:00+00:00", files


def test_takes_the_time_of_looking_as_told():
    write("f.pcap", small_pcap())
    files, _ = report("--dry-run", "--sensor", "edge", "--looked", "2024-03-17T00:01,2024-03-17T01:00", "f.pcap")
    f = files[0]
    assert f["counted"] == 4 and f["refused"][0]["reason"] == "not-looked" and not f["looked_assumed"], f
    assert f["looked"] == {"from": "2024-03-17T00:01:00+00:00", "until": "2024-03-17T01:00:00+00:00"}, f
    text = run("import", "--dry-run", "--sensor", "edge", "f.pcap").stdout.decode()
    assert "looking   assumed" in text and "every direction counts" in text, text


def test_keeps_what_stands_before_a_break():
    plain = small_csv(2000)
    write("cut.csv.gz", gzip.compress(plain)[:-200])
    write("cut.pcap", small_pcap()[:-10])
    files, err = report("--data", "d", "cut.csv.gz", status=1)
    f = files[0]
    assert f["status"] == "broke-off" and 0 < f["counted"] < 2000 and "breaks off" in err and "kept" in err, (f, err)
    adds_up(f)
    files, err = report("--data", "e", "--sensor", "edge", "cut.pcap", status=1)
    assert files[0]["counted"] == 4 and "frame 5" in err, (files, err)
    same(top("e", "--from", "2024-03-17", "--until", "2024-03-18"), {"23/tcp": (4, 4)}, "kept")


def test_refuses_whole_what_is_not_what_it_seems():
    cases = [("empty", b""), ("words", b"nothing in particular\n"), ("noise", bytes(range(256)) * 4), ("x.pcap", small_pcap(0, 127)),
             ("header.csv", b"a,b,c\n1,2,3\n"), ("wrong.csv", b"time,src,dport\nnever,198.51.100.7,23\n"),
             ("damaged.gz", b"\x1f\x8b\x08\x00" + b"\xff" * 60)]
    for name, content in cases:
        write(name, content)
        files, err = report("--data", "d", "--sensor", "edge", name, status=1)
        assert files[0]["status"] == "refused" and len(err.strip().splitlines()) == 1 and name in err, (name, files, err)
    _, err = report("--data", "d", "--sensor", "edge", "not-there", status=1)
    assert "not-there" in err
    write("good.pcap", small_pcap())
    files, _ = report("--data", "d", "--sensor", "edge", "words", "good.pcap", status=1)    # one bad file stops no other
    assert [f["status"] for f in files] == ["refused", "done"], files


def test_says_what_is_missing_and_exits_with_2():
    write("f.pcap", small_pcap())
    write("f.log", LOG.encode())
    write("f.csv", b"time,src,proto,dport\n2024-03-17 00:00:00,198.51.100.7,tcp,23\n")
    wrong = [([], "FILE"), (["f.pcap"], "--sensor"), (["f.log"], "--year"), (["f.csv"], "--sensor"),
             (["--sensor", "a b", "f.pcap"], "--sensor"), (["--looked", "yesterday", "f.pcap"], "--looked"),
             (["--map", "when=x", "f.csv"], "--map"), (["--watched", "192.0.2.1/24", "f.pcap"], "--watched"),
             (["--year", "24", "f.log"], "--year"), (["--proto", "sctp", "f.csv"], "--proto"),
             (["--format", "xml", "f.csv"], "--format"), (["--timezone", "Mars/Olympus", "f.csv"], "Mars/Olympus")]
    for args, word in wrong:
        r = run("import", "--data", "d", *args)
        err = r.stderr.decode()
        assert r.returncode == 2 and word in err and len(err.strip().splitlines()) == 1, (args, r.returncode, err)
    assert not os.path.exists("d"), "a refused import made a store"


def test_adds_up_for_every_real_log():
    logs = [("ufw-server/day20230820_4b2598a7.gz", "2023"), ("ufw-server/week01_fd990278.gz", "2024"),
            ("ufw-server/week02_21902ff7.gz", "2024"), ("ufw-server/week03_5be3e738.gz", "2024"),
            ("ufw-server/week04_db46e5c1.gz", "2024"), ("gateway-iptables/iptables.log", "2018")]
    for name, year in logs:
        path = needed(os.path.join(DATA, name))
        with (gzip.open(path) if path.endswith(".gz") else open(path, "rb")) as f:
            lines = f.read().splitlines()
        files, _ = report("--dry-run", "--year", year, path)
        f = files[0]
        adds_up(f)
        complete = sum(b" SRC=" in line and b"URGP=" in line or b"PROTO=UDP" in line for line in lines)
        assert f["read"] == len(lines) and f["counted"] == complete, (name, f, complete)
        assert f["span"]["from"].startswith(year), f["span"]


def test_adds_up_for_the_honeynet_records():
    path = needed(os.path.join(DATA, "mhn", "mhn-dev-2014-2015.csv"))
    with open(path, newline="") as f:
        rows = list(csv.DictReader(f))
    for proto in ([], ["--proto", "tcp"]):
        files, _ = report("--dry-run", "--map", MHN_MAP, *proto, path)
        adds_up(files[0])
        want = sum(bool(r["attackerIP"] and r["victimPort"] and (r["connectionTransport"] or proto)) for r in rows)
        assert files[0]["read"] == len(rows) and files[0]["counted"] == want, (files[0], want)


def test_reads_or_refuses_every_real_capture_within_a_second():
    read = refused = 0
    for folder in CAPTURES:
        for where, _, names in os.walk(needed(os.path.join(DATA, folder))):
            for name in names:
                path = os.path.join(where, name)
                start = time.monotonic()
                r = run("import", "--dry-run", "--json", "--sensor", "t", "--year", "2020", path)
                took = time.monotonic() - start
                assert r.returncode in (0, 1), (path, r.returncode, r.stderr[-300:])
                f = json.loads(r.stdout)["files"][0]
                if f["status"] == "refused":
                    refused += 1
                    assert f["error"] and len(r.stderr.splitlines()) == 1, (path, f, r.stderr)
                else:
                    read += 1
                    adds_up(f)
                assert took < SECONDS_MAX, (path, took)
    assert read > 370 and refused > 0, (read, refused)     # some tests of others have times of 1970


def test_finds_the_firewall_s_lines_behind_those_of_others():
    other = "Mar 17 00:00:00 gate kernel: [    0.000000] BIOS-e820: [mem 0x0000000000100000-0x000000007ffdffff] usable\n"
    write("long.log", (other * 1500 + LOG).encode())
    files, _ = report("--dry-run", "--year", "2024", "long.log")
    assert files[0]["format"] == "log" and files[0]["counted"] == 1, files
    write("zeroes.log", b"\0" * 100 + b"\n" + LOG.encode())
    files, _ = report("--dry-run", "--year", "2024", "zeroes.log")
    assert files[0]["counted"] == 1, files


def test_refuses_a_capture_whose_clock_was_not_set():
    write("old.pcap", small_pcap(start=3600))
    files, stderr = report("--dry-run", "--sensor", "s", "old.pcap", status=1)
    assert files[0]["status"] == "refused" and "1990" in stderr, (files, stderr)


def test_log_that_says_its_zone_is_one_file_under_any_year_and_zone():
    line = LOG.splitlines()[0].replace("Mar 17 00:00:54", "2024-03-17T00:00:54+09:00")
    write("iso.log", (line + "\n").encode())
    files, _ = report("--data", "d", "iso.log")
    assert not files[0]["already_imported"]
    files, _ = report("--data", "d", "--year", "2023", "--timezone", "Europe/Berlin", "iso.log")
    assert files[0]["already_imported"], files


def main():
    failed = False
    only = sys.argv[2:]
    for name, test in sorted(globals().items()):
        if not name.startswith("test_") or (only and not any(o in name for o in only)):
            continue
        title = "import_" + name[5:]
        with tempfile.TemporaryDirectory() as folder:
            global DATA, MARX
            DATA, MARX = os.path.abspath(DATA), os.path.abspath(MARX)
            here = os.getcwd()
            os.chdir(folder)
            try:
                test()
                print(f"ok {title}")
            except Skip as why:
                print(f"skip {title}: {why}")
            except Exception as why:                                   # a failing test is a line, not a traceback
                print(f"not ok {title}: {type(why).__name__}: {str(why)[:600]}")
                failed = True
            finally:
                os.chdir(here)
        sys.stdout.flush()
    return failed


if __name__ == "__main__":
    sys.exit(main())
