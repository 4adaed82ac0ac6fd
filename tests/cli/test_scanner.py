#!/usr/bin/env python3
"""Known scanners, from the outside: the list, figures that are freed from it and split by it, and a keep that takes a new one.

Usage: test_scanner.py BINARY [NAME PART]. Prints one line a test."""
import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request

from cli import BINARY, one_line, run_tests

LIST = "# known\n198.51.100.0/29 Alpha from=2020-01-02 # eight\n198.51.100.0/30 Beta\n2001:db8::/32 Six until=2020-01-02\n"


def run(*args, check=True, stdin=None):
    done = subprocess.run([BINARY, *args], capture_output=True, text=True, input=stdin, timeout=60, check=False)
    assert done.returncode == 0 or not check, (args, done.returncode, done.stderr)
    return done


def written(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def refused(status, *args):
    done = run(*args, check=False)
    assert done.returncode == status, (args, done.returncode, done.stderr)
    return done


def filled(folder):
    """Three days, from 198.51.100.0 to .39 a packet each."""
    lines = [f"2020-01-{day:02d} {i % 24:02d}:{i:02d}:00,a,198.51.100.{i},tcp,80" for day in (1, 2, 3) for i in range(40)]
    run("import", "--data", folder, "--map", "time=t,sensor=s,src=src,proto=p,dport=d", "-", stdin="\n".join(["t,s,src,p,d", *lines, ""]))


def asked(folder, *more):
    return json.loads(run("top", "--data", folder, "--from", "2020-01-01", "--until", "2020-01-04", "--across", "sum", "--json", *more).stdout)


def by_label(answer):
    return {row["label"]: row["packets"] for row in answer["rows"]}


def test_the_list_is_read_whole_before_it_is_written(folder):
    data = f"{folder}/data"
    good, bad = written(f"{folder}/good", LIST), written(f"{folder}/bad", "192.0.2.0/24 Alpha\n192.0.2.1/24 Alpha\n")
    done = run("scanner", "import", "--data", data, good)
    assert re.fullmatch(r"list [0-9a-f]{12}: 3 networks of 3 organisations\n", done.stdout), done.stdout
    one_line(run("scanner", "import", "--data", data, good, bad, check=False), 1, "bad: line 2", "192.0.2.1/24")
    shown = json.loads(run("scanner", "list", "--data", data, "--json").stdout)
    assert shown["list"] == done.stdout[5:17], shown
    assert shown["networks"][0] == {"network": "198.51.100.0/29", "organisation": "Alpha", "from": "2020-01-02", "until": None}, shown
    assert run("scanner", "list", "--data", data).stdout.splitlines()[1:] == [re.sub(" #.*", "", line) for line in LIST.splitlines()[1:]]
    for words in ([], ["list", "x"], ["import"], ["import", "--from", "2020-01-01", good], ["import", "--json", good]):
        refused(2, "scanner", "--data", data, *words)
    refused(2, "scanner", "import", "--data", data, "--name", "Alpha", "--from", "soon", good)
    one_line(run("scanner", "import", "--data", data, "--name", "only", written(f"{folder}/plain", "192.0.2.0/24\n"), check=False), 1, "only")
    one_line(run("scanner", "import", "--data", data, "--name", "Alpha", good, check=False), 1, "good: line 2", "behind the network")


def test_one_organisations_networks_are_renewed_from_a_day_on(folder):
    data = f"{folder}/data"
    run("scanner", "import", "--data", data, written(f"{folder}/good", LIST))
    run("scanner", "import", "--data", data, "--name", "Beta", "--from", "2020-02-01", written(f"{folder}/plain", "# theirs\n203.0.113.0/24\n\n203.0.113.9\n"))
    lines = run("scanner", "list", "--data", data).stdout.splitlines()[1:]
    assert "198.51.100.0/30 Beta until=2020-02-01" in lines and "203.0.113.0/24 Beta from=2020-02-01" in lines and "203.0.113.9/32 Beta from=2020-02-01" in lines, lines
    assert "198.51.100.0/29 Alpha from=2020-01-02" in lines, lines


def test_figures_are_freed_from_known_scanners_and_split_by_them(folder):
    filled(folder)
    one_line(run("top", "--data", folder, "--scanners", "without", check=False), 1, "no list of known scanners", "teiten scanner import")
    run("scanner", "import", "--data", folder, written(f"{folder}/good", LIST))
    name = json.loads(run("scanner", "list", "--data", folder, "--json").stdout)["list"]
    # Beta's four addresses on three days; Alpha's other four on the two days from the second on
    split = asked(folder, "--each", "scanner")
    assert by_label(split) == {"not known": 100, "Beta": 12, "Alpha": 8} and split["scanners_list"] == name, split
    without, only, alpha = (asked(folder, "--scanners", which) for which in ("without", "only", "Alpha"))
    assert (by_label(without), by_label(only), by_label(alpha)) == ({"80/tcp": 100}, {"80/tcp": 20}, {"80/tcp": 8}), (without, only, alpha)
    assert (without["scanners"], without["scanners_list"]) == ("without", name)
    assert "scanners" not in asked(folder) and "scanners_list" not in asked(folder)
    assert f"without known scanners (list {name})" in run("top", "--data", folder, "--scanners", "without").stdout
    head = run("port", "80/tcp", "--data", folder, "--scanners", "without", "--csv").stdout.splitlines()[0]
    assert f"without known scanners, list {name}" in head, head
    one_line(run("region", "--data", folder, "--scanners", "Gamma", check=False), 1, "Gamma", "scanner list")
    refused(2, "top", "--data", folder, "--scanners", "a&b")
    # what is wrong there is told when it is asked about, and by nobody else
    written(f"{folder}/scanners", "nonsense\n")
    one_line(run("top", "--data", folder, "--scanners", "without", check=False), 1, "scanners: line 1")
    assert by_label(asked(folder)) == {"80/tcp": 120}


def fetched(url, etag=None):
    request = urllib.request.Request(url, headers={"If-None-Match": etag} if etag else {})
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            return reply.status, reply.headers["ETag"], reply.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, None, refusal.read().decode()


def said(log, *words):
    """What a process is to write into its log in a moment."""
    for _ in range(200):
        with open(log, encoding="utf-8") as f:
            text = f.read()
        if all(w in text for w in words):
            return
        time.sleep(.05)
    raise AssertionError(text)


def test_a_running_keep_takes_a_new_list_and_the_pages_with_it(folder):
    filled(folder)
    log = f"{folder}/keep.log"
    with open(log, "w", encoding="utf-8") as told:
        keep = subprocess.Popen([BINARY, "keep", "--data", folder], stderr=told)
    while not os.path.exists(f"{folder}/keep.sock") and keep.poll() is None:
        time.sleep(.05)
    desk = subprocess.Popen([BINARY, "desk", "--data", folder, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        at = re.search(r"http://[^/]+", desk.stdout.readline()).group()
        api = f"{at}/api/v1/top?from=2020-01-01&until=2020-01-04&across=sum&scanners=without"
        assert fetched(api)[0] == 400 and "scanner import" in fetched(api)[2]
        assert 'name="scanners"' not in fetched(f"{at}/en/")[2]
        run("scanner", "import", "--data", folder, written(f"{folder}/good", LIST))
        status, etag, text = fetched(api)
        first = json.loads(text)
        assert status == 200 and by_label(first) == {"80/tcp": 100}, text
        assert fetched(api, etag)[0] == 304
        # through the socket as well, and it says so
        assert by_label(asked(folder, "--scanners", "only")) == {"80/tcp": 20}
        run("scanner", "import", "--data", folder, "--name", "Many", written(f"{folder}/plain", "198.51.100.0/27\n"))
        status, _, text = fetched(api, etag)
        assert status == 200 and by_label(json.loads(text)) == {"80/tcp": 24} and json.loads(text)["scanners_list"] != first["scanners_list"], text
        name = json.loads(text)["scanners_list"]
        for path, words in (("/en/", "without known scanners"), ("/ja/", "既知のスキャナーを除く"), ("/en/ports/80-tcp", "without known scanners")):
            page = fetched(f"{at}{path}?scanners=without")[2]
            assert words in page and name in page and re.search(r'<option value="without" selected>', page), path
        assert "not in the list" in fetched(f"{at}/en/?each=scanner&step=all&from=2020-01-01&until=2020-01-04")[2]
        assert fetched(f"{at}/en/ports/80-tcp?scanners=a%26b")[0] == 400
        written(f"{folder}/scanners", "nonsense\n")
        assert json.loads(fetched(api)[2])["scanners_list"] == name
        said(log, f"known scanners: list {name}, 4 networks of 4 organisations", "scanners: line 1")
    finally:
        for process in (desk, keep):
            process.terminate()
            process.wait(20)
        desk.stdout.close()


run_tests("scanner", globals())
