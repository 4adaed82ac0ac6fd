#!/usr/bin/env python3
"""The data folder from the outside: with and without a keep, two commands at once, a keep that is killed.

Usage: test_place.py BINARY. Prints one line a test."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

BINARY = os.path.abspath(sys.argv[1])
MAP = "time=t,sensor=s,src=src,proto=p,dport=d"


def run(*args, check=True, stdin=None, timeout=60, env=None):
    done = subprocess.run([BINARY, *args], capture_output=True, text=True, input=stdin, timeout=timeout,
                          env={**os.environ, **(env or {})})
    if check and done.returncode != 0:
        raise AssertionError(f"{args}: status {done.returncode}: {done.stderr.strip()}")
    return done


def rows(first_day, days=3, per_day=40, sensor="a", port=80):
    lines = ["t,s,src,p,d"]
    for day in range(first_day, first_day + days):
        for i in range(per_day):
            lines.append(f"2020-01-{day:02d} {i % 24:02d}:{i:02d}:00,{sensor},198.51.100.{i},tcp,{port}")
    return "\n".join(lines) + "\n"


def packets(folder, *more):
    answer = json.loads(run("top", "--data", folder, "--from", "2019-01-01", "--until", "2021-01-01", "--top", "all", "--json", *more).stdout)
    return sum(row["packets"] for row in answer["rows"])


class Keep:
    def __init__(self, folder):
        self.folder = folder
        self.process = subprocess.Popen([BINARY, "keep", "--data", folder], stderr=subprocess.PIPE, text=True)
        for _ in range(200):
            if os.path.exists(os.path.join(folder, "keep.sock")):
                break
            time.sleep(.05)
        else:
            raise AssertionError("keep did not come up")

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(20)
        self.process.stderr.close()
        return self.process.returncode


def import_text(folder, text, *more, **kw):
    return run("import", "--data", folder, "--map", MAP, *more, "-", stdin=text, **kw)


def test_questions_and_imports_work_without_a_keep(folder):
    import_text(folder, rows(1))
    assert packets(folder) == 120, packets(folder)
    import_text(folder, rows(1))
    assert packets(folder) == 120, "a file imported twice counts once"


def test_questions_and_imports_go_through_a_running_keep(folder):
    import_text(folder, rows(1))
    keep = Keep(folder)
    assert packets(folder) == 120
    import_text(folder, rows(5))
    assert packets(folder) == 240
    import_text(folder, rows(5))
    assert packets(folder) == 240, "twice through the keep counts once"
    assert not [n for n in os.listdir(os.path.join(folder, "spool")) if n.endswith(".batch")]
    run("sensor", "set", "a", "--addresses", "4", "--data", folder)
    assert json.loads(run("sensor", "list", "--json", "--data", folder).stdout)["sensors"][0]["addresses"] == 4
    run("check", "--data", folder)
    assert keep.end() == 0
    assert packets(folder) == 240
    assert not os.path.exists(os.path.join(folder, "keep.sock"))


def test_commands_at_the_same_time_never_meet_a_lock_error(folder):
    import_text(folder, rows(1))
    failures = []

    def one(i):
        try:
            if i % 3 == 0:
                import_text(folder, rows(4 + i, days=1, sensor=f"s{i}"))
            else:
                packets(folder)
        except Exception as failure:  # told by the test
            failures.append(str(failure))

    threads = [threading.Thread(target=one, args=(i,)) for i in range(9)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures, failures
    assert packets(folder) == 120 + 3 * 40


def test_second_keep_is_refused_with_one_line(folder):
    import_text(folder, rows(1))
    keep = Keep(folder)
    second = run("keep", "--data", folder, check=False)
    assert second.returncode == 1 and "already running" in second.stderr and len(second.stderr.strip().splitlines()) == 1, second.stderr
    keep.end()


def test_killed_keep_leaves_everything_acknowledged_and_the_spool_goes_on(folder):
    import_text(folder, rows(1, sensor="z"))
    total = 120
    for i in range(4):
        keep = Keep(folder)
        done = []

        def feed():
            for k in range(6):
                result = import_text(folder, rows(1 + k, days=1, sensor=f"k{i}", port=1000 + k), check=False)
                done.append(result.returncode)

        thread = threading.Thread(target=feed)
        thread.start()
        time.sleep(.25 + .1 * i)
        keep.end(signal.SIGKILL)
        thread.join()
        # what was told as done is there; the rest waits in the spool or was put by the command itself
        keep = Keep(folder)
        for _ in range(200):
            if not [n for n in os.listdir(os.path.join(folder, "spool")) if n.endswith(".batch")]:
                break
            time.sleep(.05)
        for k in range(6):      # whatever failed is imported again: nothing counts twice
            import_text(folder, rows(1 + k, days=1, sensor=f"k{i}", port=1000 + k))
        total += 6 * 40
        assert packets(folder) == total, (packets(folder), total)
        run("check", "--data", folder)
        keep.end()


def test_spool_puts_aside_what_is_no_batch(folder):
    import_text(folder, rows(1))
    keep = Keep(folder)
    with open(os.path.join(folder, "spool", "0000000000000001.0000000000.x.batch"), "wb") as f:
        f.write(b"TTNB\x01 not a batch")
    for _ in range(100):
        if os.path.exists(os.path.join(folder, "spool", "refused")):
            break
        time.sleep(.05)
    assert os.listdir(os.path.join(folder, "spool", "refused")) == ["0000000000000001.0000000000.x.batch"]
    assert packets(folder) == 120
    keep.end()


def test_folder_that_is_not_there_is_said_in_one_line(folder):
    done = run("top", "--data", os.path.join(folder, "nowhere"), check=False)
    assert done.returncode == 1 and "nowhere" in done.stderr and len(done.stderr.strip().splitlines()) == 1, done.stderr
    done = run("top", "--data", os.path.join(folder, "nowhere"), "--json", check=False)
    assert set(json.loads(done.stdout)["error"]) == {"what", "where", "expected"}
    assert not os.path.exists(os.path.join(folder, "nowhere"))


def test_store_keeps_its_zone_and_ends_the_span_at_its_last_whole_day(folder):
    import_text(folder, rows(1, days=20), "--zone", "Asia/Tokyo", "--looked", "2020-01-01,2020-01-20T18:00+09:00")
    answer = json.loads(run("top", "--data", folder, "--last", "1w", "--json").stdout)
    assert answer["zone"] == "Asia/Tokyo", answer["zone"]
    assert answer["span"] == {"from": "2020-01-13T00:00:00+09:00", "until": "2020-01-20T00:00:00+09:00"}, answer["span"]


def test_wrong_use_has_status_2_and_says_what_was_expected(folder):
    for args in (["top", "--nonsense"], ["top", "--top", "x"], ["port"], ["port", "80"], ["region", "JAPAN"], ["nonsense"], ["sensor"],
                 ["top", "extra"], ["keep", "extra"], ["center", "extra"], ["port", "80/tcp", "--proto", "udp"], ["top", "--json", "--csv"], ["import"]):
        done = run(*args, check=False)
        assert done.returncode == 2, (args, done.returncode, done.stderr)
        assert done.stderr.strip(), args


def test_series_has_null_where_nobody_looked_and_zero_where_nothing_came(folder):
    import_text(folder, rows(1, days=2), "--looked", "2020-01-01,2020-01-04")
    import_text(folder, rows(8, days=1, sensor="b"), "--looked", "2020-01-08,2020-01-09")
    answer = json.loads(run("port", "80/tcp", "--data", folder, "--from", "2020-01-01", "--until", "2020-01-10", "--json").stdout)
    assert set(answer) >= {"span", "zone", "step", "across", "per", "unit", "sensors", "series"}, answer.keys()
    series = answer["series"][0]
    assert series["label"] == "80/tcp"
    assert series["values"] == [40, 40, 0, None, None, None, None, 40, None], series["values"]
    assert series["looked"] == [1, 1, 1, 0, 0, 0, 0, 1, 0], series["looked"]
    assert series["times"][0] == "2020-01-01T00:00:00+00:00"


failed = False
for name, test in list(globals().items()):
    if not name.startswith("test_"):
        continue
    with tempfile.TemporaryDirectory() as folder:
        try:
            test(folder)
            print(f"ok place: {name[5:].replace('_', ' ')}")
        except Exception as failure:  # told, and the next one runs
            failed = True
            print(f"not ok place: {name[5:].replace('_', ' ')}: {failure!r}")
    sys.stdout.flush()
sys.exit(1 if failed else 0)
