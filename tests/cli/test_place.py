#!/usr/bin/env python3
"""The data folder from the outside: with and without a keep, two commands at once, a keep that is killed.

Usage: test_place.py BINARY. Prints one line a test."""
import json
import os
import pwd
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.request

from cli import BINARY, Skip, one_line, rights, run_tests

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
    def __init__(self, folder, *more, **env):
        self.folder = folder
        self.process = subprocess.Popen([BINARY, "keep", "--data", folder, *more], stderr=subprocess.PIPE, text=True,
                                        env={**os.environ, **env})
        for _ in range(200):
            try:
                with socket.socket(socket.AF_UNIX) as s:
                    s.connect(os.path.join(folder, "keep.sock"))
                break
            except OSError:
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


class Desk:
    def __init__(self, folder, *more):
        self.process = subprocess.Popen([BINARY, "desk", "--data", folder, "--listen", "127.0.0.1:0", *more], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("ready: "), (line, self.process.communicate(timeout=20))
        self.url = re.search(r"http://[^/]+", line).group()

    def packets(self):
        with urllib.request.urlopen(f"{self.url}/api/v1/top?from=2019-01-01&until=2021-01-01&top=all", timeout=20) as reply:
            return sum(row["packets"] for row in json.load(reply)["rows"])


def prove(folder, user, *become):
    """A keep and a desk that say that they gave up rights, the kernel that says so too, and their work that goes on."""
    keep = Keep(folder, "--prove", "--zone", "Asia/Tokyo", *become)
    import_text(folder, rows(1))
    assert json.loads(run("top", "--data", folder, "--json").stdout)["zone"] == "Asia/Tokyo"
    assert rights(keep.process.pid) == (user, rights(os.getpid())[1] & 1 << 1 if user == "root" else 0, True, True), rights(keep.process.pid)
    desk = Desk(folder, "--prove", *become)
    assert rights(desk.process.pid) == (user, 0, True, True), rights(desk.process.pid)
    import_text(folder, rows(5, sensor="b"))
    assert packets(folder) == desk.packets() == 240
    run("check", "--data", folder)
    keep.process.terminate()
    said = keep.process.communicate(timeout=20)[1]
    assert keep.process.returncode == 0 and "proved: no other file, no new socket, no other program" in said, said
    assert not os.path.exists(f"{folder}/keep.sock")
    keep = Keep(folder, "--prove", *become)                             # the desk asks whoever is there
    assert packets(folder) == desk.packets() == 240
    assert keep.end() == 0
    desk.process.terminate()
    said = desk.process.communicate(timeout=20)[1]
    assert desk.process.returncode == 0 and "proved: no other file, no new socket but to this machine's own, no other program" in said, said


def test_rights_are_given_up_and_the_work_goes_on(folder):
    prove(folder, pwd.getpwuid(os.getuid()).pw_name)


def test_keep_and_desk_become_another_user(folder):
    if os.getuid() != 0:
        raise Skip("needs root")
    os.chmod(folder, 0o755)
    data = f"{folder}/data"
    prove(data, "nobody", "--user", "nobody")
    assert {pwd.getpwuid(os.stat(path).st_uid).pw_name for path in (data, f"{data}/spool", f"{data}/store.duckdb")} == {"nobody"}
    keep = Keep(data)
    assert run("desk", "--data", data, "--listen", "127.0.0.1:0", "--user", "nobody", check=False).returncode == 1     # it is not let in
    keep.end()


def test_file_of_another_user_is_told_with_what_to_type(folder):
    if os.getuid() != 0:
        raise Skip("needs root")
    os.chmod(folder, 0o755)
    import_text(folder, rows(1))
    one_line(run("keep", "--data", folder, "--user", "nobody", check=False), 1, "store.duckdb", "another user", "chown nobody: ")
    subprocess.run(["chown", "nobody:", f"{folder}/store.duckdb"], check=True)
    keep = Keep(folder, "--user", "nobody")
    assert packets(folder) == 120
    keep.end()


def test_desk_that_holds_the_store_itself_proves_nothing(folder):
    import_text(folder, rows(1))
    one_line(run("desk", "--data", folder, "--listen", "127.0.0.1:0", "--prove", check=False), 2, "teiten keep")


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
    names = ["0000000000000001.0000000000.x.batch", "x.batch"]
    for name in names:
        with open(os.path.join(folder, "spool", name), "wb") as f:
            f.write(b"TTNB\x01 not a batch")
    refused = os.path.join(folder, "spool", "refused")
    for _ in range(100):
        if os.path.exists(refused) and len(os.listdir(refused)) == 2:
            break
        time.sleep(.05)
    assert sorted(os.listdir(refused)) == names
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
        assert (done.stdout if "--json" in args else done.stderr).strip(), args


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


def test_store_that_would_keep_nothing_is_refused(folder):
    os.chdir(folder)
    with open("x.csv", "w") as f:
        f.write(rows(1))
    with open("x.json", "w") as f:
        f.write('{"a": 1}\n')
    for address in ("duckdb:x.csv", "duckdb:x.json", "duckdb::memory:", "memory:"):
        done = run("import", "--store", address, "--map", MAP, "-", stdin=rows(1), check=False)
        assert done.returncode != 0 and "stored" not in done.stdout and len(done.stderr.strip().splitlines()) == 1, (address, done)
    run("import", "--store", "duckdb:x.duckdb", "--map", MAP, "-", stdin=rows(1))
    one_line(run("top", "--store", "duckdb:x.duckdb", "--data", ".", check=False), 2, "exclude")


def test_same_file_imported_by_several_through_a_keep_counts_once(folder):
    import_text(folder, rows(1, sensor="z"))
    keep = Keep(folder)
    text = rows(2, days=20, per_day=60)
    done = [subprocess.Popen([BINARY, "import", "--data", folder, "--map", MAP, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True) for _ in range(6)]
    for process in done:
        process.stdin.write(text)
        process.stdin.close()
    for process in done:
        assert process.wait(60) == 0, process.stderr.read()
    assert packets(folder) == 120 + 1200, packets(folder)
    assert not [n for n in os.listdir(os.path.join(folder, "spool")) if "new" in n]
    keep.end()


def delegations(region):
    return f"apnic|{region}|ipv4|198.51.100.0|256|20200101|allocated\n"


def region_of(folder, day):
    answer = json.loads(run("region", "--data", folder, "--from", f"2020-01-{day:02d}", "--until", f"2020-01-{day + 1:02d}", "--json").stdout)
    return [row["label"] for row in answer["rows"]]


def test_table_of_regions_holds_for_what_comes_after_it_also_in_a_running_keep(folder):
    import_text(folder, rows(1, days=1))
    path = os.path.join(folder, "delegated")
    with open(path, "w") as f:
        f.write(delegations("JP"))
    built = run("geo", "build", "--data", folder, path)
    assert "already keeps" in built.stderr, built.stderr
    import_text(folder, rows(2, days=1))
    keep = Keep(folder)
    with open(path, "w") as f:
        f.write(delegations("KR"))
    run("geo", "build", "--data", folder, path)
    import_text(folder, rows(3, days=1))
    assert [region_of(folder, day) for day in (1, 2, 3)] == [["ZZ"], ["JP"], ["KR"]], [region_of(folder, day) for day in (1, 2, 3)]
    keep.end()


def test_times_that_cannot_be_are_refused_and_bend_nothing(folder):
    odd = "2099-01-01 00:00:00,a,198.51.100.1,tcp,80\n0,a,198.51.100.1,tcp,80\n1970-01-01 00:00:00,a,198.51.100.1,tcp,80\n"
    report = json.loads(import_text(folder, rows(1) + odd, "--json").stdout)["files"][0]
    assert [(r["reason"], r["rows"]) for r in report["refused"]] == [("time-range", 3)], report["refused"]
    assert report["span"]["until"].startswith("2020-01-03"), report["span"]
    answer = json.loads(run("top", "--data", folder, "--json").stdout)
    assert answer["span"]["until"].startswith("2020-01-0") and answer["rows"], answer["span"]
    one_line(import_text(folder, rows(1), "--looked", "2020-01-01,2099-01-01", check=False), 2, "future")


def test_waiting_for_others_ends(folder):
    import_text(folder, rows(1))
    desk = subprocess.Popen([BINARY, "desk", "--data", folder, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    assert "ready" in desk.stdout.readline()
    for args in (["--data", folder], ["--store", f"duckdb:{folder}/store.duckdb"]):
        done = run("top", *args, "--wait", "0", check=False)
        one_line(done, 1, f"process {desk.pid}", "--wait")
        done = run("top", *args, "--wait", "2", check=False)
        assert done.returncode == 1 and "waiting for process" in done.stderr and "lock" not in done.stderr, done.stderr
    desk.terminate()
    desk.wait(20)
    desk.stdout.close()


def test_several_imports_into_one_store_by_its_address_wait_for_one_another(folder):
    address = f"duckdb:{folder}/x.duckdb"
    run("import", "--store", address, "--map", MAP, "-", stdin=rows(1))
    done = [subprocess.Popen([BINARY, "import", "--store", address, "--map", MAP, "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True) for _ in range(5)]
    for i, process in enumerate(done):
        process.stdin.write(rows(5 + i, days=1, sensor=f"s{i}"))
        process.stdin.close()
    for process in done:
        assert process.wait(60) == 0, process.stderr.read()
    answer = json.loads(run("top", "--store", address, "--json", "--from", "2020-01-01", "--until", "2020-02-01").stdout)
    assert answer["rows"][0]["packets"] == 120 + 5 * 40, answer["rows"]


def test_full_disk_is_said_and_what_waits_goes_in_later(folder):
    import_text(folder, rows(1))
    done = import_text(folder, rows(5), env={"TEITEN_FAULT": "full:1-"}, check=False)
    one_line(done, 1, "full", "make room")
    keep = Keep(folder, TEITEN_FAULT="full:1-")
    done = import_text(folder, rows(8), "--wait", "1", check=False)
    one_line(done, 1, "the keep has taken none", "they wait in")
    keep.end()
    keep = Keep(folder)
    for _ in range(100):
        if packets(folder) == 240:
            break
        time.sleep(.05)
    assert packets(folder) == 240, packets(folder)
    keep.end()


def test_store_that_was_never_made_whole_is_made_when_there_is_room(folder):
    done = import_text(folder, rows(1), env={"TEITEN_FAULT": "full:1-"}, check=False)
    one_line(done, 1, "full", "make room")
    path = os.path.join(folder, "store.duckdb")
    with open(path, "wb"):
        pass        # what a full disk leaves
    import_text(folder, rows(1))
    assert packets(folder) == 120


def test_keep_that_hangs_is_not_waited_for_longer_than_asked(folder):
    import_text(folder, rows(1))
    keep = Keep(folder)
    keep.process.send_signal(signal.SIGSTOP)
    try:
        for args in (["top", "--data", folder], ["import", "--data", folder, "--map", MAP, "-"]):
            one_line(run(*args, "--wait", "1", stdin=rows(2), check=False, timeout=20), 1, "does not answer")
    finally:
        keep.process.send_signal(signal.SIGCONT)
    assert packets(folder) == 120
    keep.end()


def test_output_that_cannot_be_written_is_a_failure(folder):
    import_text(folder, rows(1))
    for args in (["top"], ["sensor", "list"], ["check"], ["sensor", "list", "--json"], ["help"]):
        with open("/dev/full", "w") as full:
            args = args if args == ["help"] else [*args, "--data", folder]
            done = subprocess.run([BINARY, *args], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        assert done.returncode == 1 and "cannot write" in done.stderr, (args, done)


def test_names_that_would_be_options_are_no_sensors(folder):
    for name in ("-a", ".", "..", "--json", ""):
        one_line(import_text(folder, rows(1), f"--sensor={name}", check=False), 2, "sensor")


def test_ranking_without_values_says_why(folder):
    import_text(folder, rows(1, days=1, per_day=1))
    done = run("top", "--data", folder)
    assert "a quarter of any day" in done.stdout, done.stdout


def test_zone_of_a_store_that_is_there_is_not_changed_in_silence(folder):
    import_text(folder, rows(1), "--zone", "Asia/Tokyo")
    import_text(folder, rows(1), "--zone", "Asia/Tokyo")
    one_line(import_text(folder, rows(4), "--zone", "UTC", check=False), 1, "Asia/Tokyo", "UTC")
    keep = Keep(folder)
    one_line(import_text(folder, rows(4), "--zone", "UTC", check=False), 1, "Asia/Tokyo", "UTC")
    keep.end()


def test_observatory_that_may_only_be_read_can_be_asked(folder):
    import_text(folder, rows(1))
    for name in os.listdir(folder):
        os.chmod(os.path.join(folder, name), 0o555 if os.path.isdir(os.path.join(folder, name)) else 0o444)
    os.chmod(folder, 0o555)

    def as_nobody():
        if os.getuid() == 0:
            os.setgid(65534)
            os.setuid(65534)

    def ask(*args):
        return subprocess.run([BINARY, *args, "--data", folder], capture_output=True, text=True, timeout=60, preexec_fn=as_nobody)

    try:
        done = ask("top", "--json", "--from", "2020-01-01", "--until", "2020-02-01")
        assert done.returncode == 0 and json.loads(done.stdout)["rows"][0]["packets"] == 120, done.stderr
        done = ask("sensor", "set", "a", "--addresses", "3")
        assert done.returncode == 1 and "no right to write" in done.stderr, done.stderr
    finally:
        os.chmod(folder, 0o755)


def test_wrong_values_are_told_as_json_where_json_is_asked_for(folder):
    for args in (["top", "--top", "x"], ["port", "80"], ["region", "JAPAN"], ["source", "10.0.0.1/8"]):
        done = run(*args, "--json", check=False)
        error = json.loads(done.stdout)["error"]
        assert done.returncode == 2 and error["where"] in ("top", "port", "region", "source") and error["what"] and error["expected"], (args, done)
        assert not done.stderr, done.stderr
    one_line(run("sensor", "list", "--addresses", "3", check=False), 2, "sensor set")


def test_hundred_idle_connections_do_not_keep_a_question_waiting(folder):
    import_text(folder, rows(1))
    keep = Keep(folder)
    idle = [socket.socket(socket.AF_UNIX) for _ in range(100)]
    for s in idle:
        s.connect(os.path.join(folder, "keep.sock"))
    assert packets(folder) == 120
    for s in idle:
        s.close()
    keep.end()


run_tests("place", globals())
