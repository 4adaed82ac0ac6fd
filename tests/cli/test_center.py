#!/usr/bin/env python3
"""The centre from the outside: it starts once, says in one line why it cannot, and answers over HTTP.

Usage: test_center.py BINARY. Prints one line a test."""
import http.client
import json
import os
import pwd
import re
import signal
import socket
import subprocess
import time

from cli import BINARY, Skip, certificate, one_line, rights, run_tests, telescope

MAP = "time=t,sensor=s,src=src,proto=p,dport=d"


def run(*args, **kw):
    return subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=60, **kw)


def fill(folder):
    rows = ["t,s,src,p,d"] + [f"2020-01-{d:02d} 12:00:00,{s},198.51.100.{d},tcp,{p}" for d in range(1, 31) for s in "abc" for p in (23, 80)]
    done = run("import", "--data", folder, "--map", MAP, "--looked", "2020-01-01,2020-01-31", "-", input="\n".join(rows) + "\n")
    assert done.returncode == 0, done.stderr


class Center:
    def __init__(self, folder, *more):
        self.process = subprocess.Popen([BINARY, "center", "--data", folder, "--listen", "127.0.0.1:0", *more],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.line = self.process.stdout.readline()
        assert self.line.startswith("ready: http://127.0.0.1:"), (self.line, self.process.stderr.read())
        self.port = int(self.line.split("//127.0.0.1:")[1].split("/")[0])

    def get(self, path):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        c.request("GET", path)
        r = c.getresponse()
        body = r.read().decode()
        c.close()
        return r.status, r.headers, body

    def end(self):
        self.process.terminate()
        status = self.process.wait(20)
        self.process.stdout.close()
        self.process.stderr.close()
        return status


def test_second_center_of_a_folder_is_refused_and_the_first_goes_on(folder):
    fill(folder)
    center = Center(folder)
    one_line(run("center", "--data", folder, "--listen", "127.0.0.1:0"), 1, "already running", "--data DIR")
    assert center.get("/en/")[0] == 200
    assert center.end() == 0


def test_hangup_reads_the_settings_anew_and_the_manager_is_told(folder):
    fill(folder)
    config, told = f"{folder}/center.conf", f"{folder}/notify"

    def write(name, more=""):
        with open(config, "w", encoding="utf-8") as f:
            f.write(f"name_en = {name}\n{more}")
    write("First")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(told)
        manager.settimeout(20)
        os.environ["NOTIFY_SOCKET"] = told
        try:
            center = Center(folder, "--config", config)
        finally:
            del os.environ["NOTIFY_SOCKET"]
        assert manager.recv(100) == b"READY=1" and "First" in center.get("/en/")[2]
        write("Second", "nonsense = 1\n")
        center.process.send_signal(signal.SIGHUP)
        time.sleep(1)
        assert "First" in center.get("/en/")[2]                 # what is wrong changes nothing
        write("Second")
        center.process.send_signal(signal.SIGHUP)
        assert manager.recv(100) == b"RELOADING=1" and manager.recv(100) == b"READY=1"
        line = center.process.stdout.readline()
        center.port = int(line.split("//127.0.0.1:")[1].split("/")[0])
        assert "Second" in center.get("/en/")[2]
        center.process.terminate()
        assert manager.recv(100) == b"STOPPING=1"
    said = center.process.communicate(timeout=20)[1]
    assert center.process.returncode == 0 and "nonsense" in said, said


def parts(center):
    """Its processes, by the name of their command."""
    found = {}
    with open(f"/proc/{center.process.pid}/task/{center.process.pid}/children", encoding="ascii") as f:
        for pid in f.read().split():
            with open(f"/proc/{pid}/cmdline", encoding="utf-8") as words:
                found.update({word: int(pid) for word in words.read().split("\0")[1:2]})      # of one that has ended there are none
    return found


def wait_until(holds, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(.1)
    return False


def test_keep_and_desk_that_die_together_come_back_together(folder):
    """The pages never hold the store: a keep that takes longer finds it free. One whose desk is a user of its own waits too."""
    fill(folder)
    for users in (), ("--keep-user", "nobody", "--desk-user", "nobody") if os.getuid() == 0 else ():
        if users:
            os.chmod(folder, 0o755)
            subprocess.run(["chown", "-R", "nobody:", folder], check=True)
        center = Center(folder, *users)
        first = parts(center)["keep"]
        os.kill(first, signal.SIGKILL)                  # its next pause is longer than that of the desk
        assert wait_until(lambda: parts(center).get("keep", first) != first)
        for name in "keep", "desk":
            os.kill(parts(center)[name], signal.SIGKILL)
        line = center.process.stdout.readline()
        center.port = int(line.split("//127.0.0.1:")[1].split("/")[0])
        assert wait_until(lambda: "desk" in parts(center) and center.get("/en/")[0] == 200)
        assert "keep" in parts(center) and run("top", "--data", folder).returncode == 0
        assert center.end() == 0


def test_hangup_with_a_mistake_ends_nothing(folder):
    """A list, a certificate or an address that is wrong by then: what can go on goes on."""
    fill(folder)
    pem, key = certificate(folder)
    config, enrolled = f"{folder}/center.conf", f"{folder}/sensors/enrolled"

    def write(collect):
        with open(config, "w", encoding="utf-8") as f:
            f.write(f"collect = {collect}\ncertificate = {pem}\nkey = {key}\n")
    write("127.0.0.1:0")
    center = Center(folder, "--config", config)
    assert wait_until(lambda: len(parts(center)) == 3)
    time.sleep(2)                                       # the collector and the desk listen, whichever was slower
    old = parts(center)
    with open(key, encoding="ascii") as f:
        right = f.read()
    with open(key, "w", encoding="ascii") as f:
        f.write("no key\n")
    center.process.send_signal(signal.SIGHUP)
    time.sleep(1)
    assert parts(center) == old and len(old) == 3, (parts(center), old)
    with open(key, "w", encoding="ascii") as f:
        f.write(right)
    with open(enrolled, "w", encoding="ascii") as f:
        f.write("nonsense\n")
    center.process.send_signal(signal.SIGHUP)
    assert wait_until(lambda: set(parts(center)) == set(old) and not set(parts(center).values()) & set(old.values()))
    time.sleep(1)
    old = parts(center)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        write(f"127.0.0.1:{taken.getsockname()[1]}")
        center.process.send_signal(signal.SIGHUP)
        assert wait_until(lambda: {"keep", "desk"} <= set(parts(center)) and parts(center)["keep"] != old["keep"])
        time.sleep(2)
        assert center.process.poll() is None and run("top", "--data", folder).returncode == 0
    assert wait_until(lambda: "collect" in parts(center))
    center.process.terminate()
    said = center.process.communicate(timeout=20)[1]
    assert center.process.returncode == 0 and said.count("beginning anew") == 2, said
    assert "certificate and key" in said and "nobody is let in" in said and "is taken" in said and "collect ended (status 1); again" in said, said


def test_each_process_is_a_user_of_its_own_and_batches_come_through(folder):
    """Three users of one main group share the spool and the keep's socket."""
    if os.getuid() != 0:
        raise Skip("needs root")
    group = pwd.getpwnam("nobody").pw_gid
    keep, desk, collect = ([p.pw_name for p in pwd.getpwall() if p.pw_gid == group and p.pw_uid != 0] * 3)[:3]
    os.chmod(folder, 0o755)
    data, sensor = f"{folder}/c", f"{folder}/s"
    truth = telescope(f"{folder}/t.pcap", "--packets", "20000", "--length", "300")
    key = run("sensor", "key", "--name", "t", "--data", sensor).stdout.split()
    run("sensor", "add", "--data", data, *key[:2])
    assert run("sensor", "--read", f"{folder}/t.pcap", "--name", "t", "--watch", "198.18.0.0/16,2001:db8:8000::/48", "--data", sensor).returncode == 0
    center = Center(data, "--collect", "127.0.0.1:0", "--keep-user", keep, "--desk-user", desk, "--collect-user", collect)
    lines = sorted((center.line, center.process.stdout.readline()), key=len)            # whichever was quicker
    where, center.port = lines[0].split()[1], int(lines[1].split("//127.0.0.1:")[1].split("/")[0])
    with open(f"/proc/{center.process.pid}/task/{center.process.pid}/children", encoding="ascii") as f:
        have = sorted(rights(pid) for pid in f.read().split())
    assert have == sorted((user, 0, True, True) for user in (keep, desk, collect)), have
    done = run("ship", "--once", "--to", where, "--data", sensor)
    assert done.returncode == 0, done.stderr
    for _ in range(100):
        if not [n for n in os.listdir(f"{data}/spool") if n.endswith(".batch")]:
            break
        time.sleep(.1)
    rows = json.loads(center.get("/api/v1/top?top=all&kind=scan,backscatter,error,other")[2])["rows"]
    assert sum(row["packets"] for row in rows) == truth["counted"], (len(rows), truth)
    assert center.end() == 0


def test_taken_port_is_said_in_one_line(folder):
    fill(folder)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        one_line(run("center", "--data", folder, "--listen", f"127.0.0.1:{taken.getsockname()[1]}"), 1, "is taken", "--listen")


def test_check_finds_what_is_wrong_in_the_configuration(folder):
    path = os.path.join(folder, "center.conf")
    (pem, key), (_, other) = certificate(folder), certificate(folder, "other")
    for text, words in (("listen = 192.0.2.1:80\n", ["192.0.2.1"]), ("listen = nonsense\n", ["nonsense"]), ("zone = Asia/Nowhere\n", ["Asia/Nowhere"]), ("zone = posixrules\n", ["posixrules"]), ("data =\n", ["data", "line 1"]),
                        ("collect = 0.0.0.0:8443\n", ["collect", "this machine"]), ("collect = 0.0.0.0:8443\ncertificate = x\n", ["belong together"]),
                        ("collect = 0.0.0.0:8443\ncertificate = x\nkey = y\n", ["x is not a file"]), ("collect = 127.0.0.1:1\nmetrics = 0.0.0.0:2\n", ["metrics", "counters"]),
                        ("keep_user = a\n", ["desk_user", "belong together"]), ("desk_user = a\n", ["keep_user"]),
                        ("keep_user = a\ndesk_user = b\ncollect = 127.0.0.1:1\n", ["collect_user"]),
                        ("notify_mail = duty\n", ["notify", "mail address"]), ("notify_syslog = /dev/log\nnotify_quiet = 25:00-99:00\n", ["notify", "25:00-99:00"]),
                        ("notify_syslog = /dev/log\nnotify_digest = abc\n", ["digest", "abc"]), ("notify_syslog = /dev/log\nnotify_language = fr\n", ["fr", "ja or en"]),
                        ("notify_syslog = /dev/log\nnotify_zone = No/Where\n", ["No/Where"]), ("notify_mail = a@b\nnotify_smtp = ftp://x\n", ["ftp://x"]),
                        ("notify_quiet = 22:00-07:00\n", ["notify_quiet", "by itself"]), ("notify_syslog = /dev/log\nnotify_user = no.such\n", ["notify", "no.such"]),
                        ("keep_user = no.such\ndesk_user = nobody\n", ["keep", "no.such"]), ("keep_user = nobody\ndesk_user = no.such\n", ["desk", "no.such"]),
                        ("collect = 127.0.0.1:1\ncollect_user = no.such\n", ["collect", "no.such"]), ("collect_user = no.such\n", ["collect_user", "no.such"]),
                        (f"collect = 0.0.0.0:8443\ncertificate = {pem}\nkey = {path}\n", ["collect", "certificate and key"]),
                        (f"collect = 0.0.0.0:8443\ncertificate = {pem}\nkey = {other}\n", ["collect", "belonging together"]),
                        ("listen = 127.0.0.1:8025\ncollect = localhost:8025\n", ["same address"]), (f"collect = 0.0.0.0:8025\ncertificate = {pem}\nkey = {key}\n", ["same address"]),
                        ("collect = 127.0.0.1:1\nmetrics = 127.0.0.1:1\n", ["metrics", "127.0.0.1:1"]), ("metrics = 192.0.2.1:9\n", ["metrics", "collect"]),
                        (f"certificate = {pem}\nkey = {key}\n", ["certificate", "collect"]), ("name_en = a\0b\n", ["zero byte"])):
        with open(path, "w") as f:
            f.write(text)
        one_line(run("center", "--check", "--config", path), 1, *words)
    with open(path, "w") as f:
        f.write(f"listen = 127.0.0.1:8025\nzone = Asia/Tokyo\ncollect = 0.0.0.0:8443\ncertificate = {pem}\nkey = {key}\nmetrics = 127.0.0.1:9126\n"
                "notify_mail = a@example.org\nnotify_quiet = 22:00-07:00\n")
    done = run("center", "--check", "--config", path)
    assert done.returncode == 0 and "8 settings" in done.stdout and not done.stderr, done


def test_units_let_the_program_give_up_its_rights(folder):
    """Not every list of a service's calls holds those with which a process limits itself."""
    for name in ("center", "sensor"):
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "contrib", "systemd", f"teiten-{name}.service"), encoding="ascii") as f:
            unit = f.read()
        calls = re.search(r"^SystemCallFilter=(.*)$", unit, re.M).group(1).split()
        assert {"seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"} <= set(calls), (name, calls)
        assert "SystemCallErrorNumber=EPERM" in unit, name


def test_question_that_can_never_work_is_the_client_s_error(folder):
    fill(folder)
    center = Center(folder)
    for query in ("step=hour&from=1990-01-01&until=2099-01-01&each=sensor&top=all", "step=minute&last=4000w", "sensor=nobody", "top=x"):
        status, _, body = center.get(f"/api/v1/series?{query}")
        error = json.loads(body)["error"]
        assert status == 400 and error["what"] and error["expected"], (query, status, body)
    status, _, body = center.get("/api/v1/top?step=day")
    assert status == 400 and json.loads(body)["error"]["where"] == "step", body
    series = json.loads(center.get("/api/v1/series?port=7/udp&last=1w")[2])["series"]
    assert [s["values"] for s in series] == [[0] * 7], series
    assert center.get("/en/?" + "&".join(["top=1"] * 600))[0] in (200, 400)
    status, _, body = center.get("/ja/?last=soon")
    assert status == 400 and "項目「last」" in body and "3mo、1y、90d" in body and "not a value" not in body, body
    status, headers, _ = center.get("/en")
    assert status == 302 and headers["Location"] == "/en/", (status, headers)
    assert center.end() == 0


def test_half_sent_requests_do_not_shut_others_out(folder):
    fill(folder)
    center = Center(folder)
    half = [socket.create_connection(("127.0.0.1", center.port)) for _ in range(300)]
    for s in half:
        s.sendall(b"GET /en/ HTTP/1.1\r\nHost: local")
    assert center.get("/en/")[0] == 200
    for s in half:
        s.close()
    assert center.end() == 0


run_tests("center", globals())
