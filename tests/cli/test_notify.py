#!/usr/bin/env python3
"""What a keep notices of its sensors is told once, by mail, to a web address and to the system's log, when it should be.

Usage: test_notify.py BINARY. Prints one line a test."""
import http.server
import json
import os
import re
import socket
import subprocess
import threading
import time

from cli import BINARY, one_line, pcap, run_tests
from test_link import enrol, good, run

TOKYO = ("--zone", "Asia/Tokyo")


class Mail:
    """A mail server that takes everything, or says that it cannot."""

    def __init__(self, refuse=False):
        self.refuse, self.got = refuse, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"smtp://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                with self.socket.accept()[0] as c:
                    self.talk(c, c.makefile("rb"))
            except OSError:
                return

    def talk(self, c, lines):
        to, text = [], b""
        c.sendall(b"220 here\r\n")
        for line in lines:
            word = line[:4].upper()
            if word == b"DATA":
                c.sendall(b"354 go on\r\n")
                for line in lines:
                    if line == b".\r\n":
                        break
                    text += line
                self.got.append((to, text.decode()))
            elif word == b"RCPT":
                to.append(re.search(rb"<(.*)>", line).group(1).decode())
            c.sendall(b"451 not now\r\n" if self.refuse and word == b"RCPT" else b"250 well\r\n" if word != b"QUIT" else b"221 bye\r\n")


class Web:
    def __init__(self, status=200):
        got = self.got = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                got.append((self.headers["Content-Type"], json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_):
                pass
        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}/hook"
        threading.Thread(target=server.serve_forever, daemon=True).start()


def put(folder, *notices):
    """Notices as a keep leaves them: (seconds, kind, sensor, amount)."""
    os.makedirs(f"{folder}/notices", exist_ok=True)
    with open(f"{folder}/notices/log", "a", encoding="ascii") as f:
        for n in notices:
            f.write("{} {} {} {} .\n".format(*n))


def told(folder):
    return json.loads(good("notify", "--list", "--json", "--data", folder))


def test_list_of_a_folder_that_is_not_there_is_refused(folder):
    one_line(run("notify", "--list", "--data", f"{folder}/nowhere"), 1, "no folder", "nowhere")
    assert not os.path.exists(f"{folder}/nowhere") and good("notify", "--list", "--data", folder) == ""


def test_all_ways_tell_each_notice_once(folder):
    mail, web = Mail(), Web()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(f"{folder}/log.socket")
        ways = ("notify", "--data", folder, "--mail", "a@example.org,b@example.org", "--from", "teiten@example.org", "--smtp", mail.url, "--webhook", web.url,
                "--syslog", f"{folder}/log.socket", "--once", *TOKYO, "--language", "ja")
        put(folder, (1795626261, "silent", "older", 9))
        good(*ways)                                             # a way begins with what comes after it was set up
        assert not mail.got and not web.got
        put(folder, (1795626261, "silent", "kyoto-1", 6), (1795626321, "losing", "nara", 25))
        for _ in range(2):
            good(*ways)
        assert len(mail.got) == len(web.got) == 1, (mail.got, web.got)
        assert log.recv(1000).decode().startswith("<28>teiten[") and "25" in log.recv(1000).decode()
    to, text = mail.got[0]
    head, _, body = text.partition("\r\n\r\n")
    assert to == ["a@example.org", "b@example.org"] and "\r\nFrom: <teiten@example.org>\r\n" in head and "Subject: [teiten] 2 notices" in head, (to, head)
    assert re.search(r"^Date: \w{3}, \d\d \w{3} \d{4} [\d:]{8} \+0000\r\n", head) and "Auto-Submitted: auto-generated" in head and "charset=utf-8" in head, head
    assert "\n" not in text.replace("\r\n", "") and "2026-11-26T02:04:00+09:00  センサー kyoto-1 の観測が途絶えています（6分間" in body and "older" not in body, body
    kind, sent = web.got[0]
    assert kind == "application/json" and sent["text"].count("\n") == 1, (kind, sent)
    assert [(n["kind"], n["sensor"], n["amount"], n["time"]) for n in sent["notices"]] == [
        ("silent", "kyoto-1", 6, "2026-11-26T02:04:00+09:00"), ("losing", "nara", 25, "2026-11-26T02:05:00+09:00")], sent


def test_one_way_that_fails_holds_up_no_other_and_is_told_later(folder):
    broken, web = Mail(refuse=True), Web()
    put(folder)
    ways = ("notify", "--data", folder, "--mail", "a@example.org", "--webhook", web.url, "--once")
    good(*ways, "--smtp", broken.url)
    put(folder, (1795626261, "silent", "kyoto-1", 6))
    done = run(*ways, "--smtp", broken.url)
    assert done.returncode == 1 and "mail: " in done.stderr and "451" in done.stderr and len(web.got) == 1, (done, web.got)
    mail = Mail()
    good(*ways, "--smtp", mail.url)
    assert len(mail.got) == 1 and "Subject: [teiten] kyoto-1: silent" in mail.got[0][1] and len(web.got) == 1, (mail.got, web.got)
    angry = Web(status=500)
    put(folder, (1795626261, "silent", "kyoto-1", 6))
    assert "webhook: 500" in run("notify", "--data", folder, "--webhook", angry.url, "--once").stderr


def running(folder, offset, *more):
    return subprocess.Popen([BINARY, "notify", "--data", folder, *more], stderr=subprocess.PIPE, text=True,
                            env={**os.environ, "TEITEN_CLOCK_OFFSET": str(int(offset))})


def test_digest_and_quiet_hours(folder):
    """A clock that stands an hour after midnight in Tokyo: a mail waits, the log does not."""
    mail = Mail()
    night = (int(time.time()) // 86400 + 1) * 86400 - 8 * 3600                  # 01:00 of a day there
    put(folder)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(f"{folder}/log.socket")
        log.settimeout(10)
        ways = (*TOKYO, "--mail", "a@example.org", "--smtp", mail.url, "--syslog", f"{folder}/log.socket", "--quiet", "22:00-07:00", "--digest", "10")
        process = running(folder, night - time.time(), *ways)
        time.sleep(1)
        put(folder, (night, "silent", "kyoto-1", 6))
        assert b"kyoto-1" in log.recv(1000)
        time.sleep(1.5)
        process.terminate()
        process.communicate(timeout=20)
        assert not mail.got
        morning = running(folder, night + 6 * 3600 + 300 - time.time(), *ways)          # 07:05
        for _ in range(100):
            time.sleep(.1)
            if mail.got:
                break
        assert len(mail.got) == 1, mail.got
        put(folder, (night + 6 * 3600 + 290, "silent", "nara", 6))
        time.sleep(1.5)
        morning.terminate()
        morning.communicate(timeout=20)
        assert len(mail.got) == 1, mail.got                     # its ten minutes are not over
        later = running(folder, night + 6 * 3600 + 900 - time.time(), *ways)
        for _ in range(100):
            time.sleep(.1)
            if len(mail.got) == 2:
                break
        later.terminate()
        later.communicate(timeout=20)
    assert len(mail.got) == 2 and "nara" in mail.got[1][1] and "kyoto-1" not in mail.got[1][1], mail.got


def test_trial_and_rights(folder):
    mail = Mail()
    done = run("notify", "--data", folder, "--mail", "a@example.org", "--smtp", mail.url, "--once", "--trial", "--prove")
    assert done.returncode == 0 and "proved: no other file to write, no other program" in done.stderr, done
    assert len(mail.got) == 1 and "Subject: [teiten] trial" in mail.got[0][1], mail.got


def test_second_one_is_refused_and_a_trial_is_not(folder):
    web, other = Web(), Web()
    put(folder)
    first = running(folder, 0, "--webhook", web.url, "--digest", "0")
    time.sleep(1)
    try:
        done = run("notify", "--data", folder, "--webhook", other.url, "--once")
        assert done.returncode == 1 and "another notify tells here already" in done.stderr.strip().splitlines()[-1], done
        put(folder, (1795626261, "silent", "kyoto-1", 6))
        good("notify", "--data", folder, "--webhook", other.url, "--once", "--trial")
        for _ in range(100):
            if web.got:
                break
            time.sleep(.1)
    finally:
        first.terminate()
        first.communicate(timeout=20)
    assert [n["kind"] for _, sent in web.got for n in sent["notices"]] == ["silent"], web.got
    assert [n["kind"] for _, sent in other.got for n in sent["notices"]] == ["trial"], other.got


def test_damaged_place_is_begun_anew_at_the_end(folder):
    web = Web()
    ways = ("notify", "--data", folder, "--webhook", web.url, "--once")
    put(folder)
    good(*ways)
    for damage in bytes(range(250)) * 2, b"none\n", b"":
        put(folder, (1795626261, "silent", "older", 6))
        with open(f"{folder}/notices/sent/webhook.at", "wb") as f:
            f.write(damage)
        done = run(*ways)
        assert done.returncode == 0 and "webhook.at is damaged: begun anew" in done.stderr and not web.got, (done, web.got)
    put(folder, (1795626261, "silent", "newer", 6))
    good(*ways)
    assert [n["sensor"] for _, sent in web.got for n in sent["notices"]] == ["newer"], web.got


def test_centre_starts_it_with_its_settings(folder):
    """And goes on without it, when one of them is wrong."""
    with open(f"{folder}/conf", "w", encoding="ascii") as f:
        f.write(f"data = {folder}/c\nlisten = 127.0.0.1:0\nnotify_syslog = {folder}/log.socket\nnotify_quiet = 22:00-07:00\nnotify_language = ja\n")
    center = subprocess.Popen([BINARY, "center", "--config", f"{folder}/conf"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    center.stdout.readline()
    words = []
    with open(f"/proc/{center.pid}/task/{center.pid}/children", encoding="ascii") as f:
        for child in f.read().split():
            with open(f"/proc/{child}/cmdline", encoding="ascii") as c:
                words.append(c.read().split("\0")[1:-1])
    center.terminate()
    center.communicate(timeout=30)
    assert ["notify", "--data", f"{folder}/c", "--syslog", f"{folder}/log.socket", "--quiet", "22:00-07:00", "--language", "ja"] in words, words
    with open(f"{folder}/conf", "a", encoding="ascii") as f:
        f.write("notify_digest = soon\n")
    center = subprocess.Popen([BINARY, "center", "--config", f"{folder}/conf"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    ready = center.stdout.readline()
    time.sleep(1)
    center.terminate()
    said = center.communicate(timeout=30)[1]
    assert ready.startswith("ready: ") and "digest" in said and "notify ended" in said, (ready, said)


def test_wrong_settings_are_refused(folder):
    for words in (("--mail", "nobody"), ("--mail", "a@b\nBcc: c@d"), ("--mail", "a@b", "--smtp", "http://x"), ("--webhook", "http://example.org/"), ("--quiet", "22-7", "--syslog", "/dev/log"),
                  ("--quiet", "25:00-07:00", "--syslog", "/dev/log"), (), ("--mail", "a@b", "--smtp-user", "x"), ("--language", "fr", "--syslog", "/dev/log")):
        one_line(run("notify", "--data", folder, "--once", *words), 2)


def batch(folder, data, seconds, watch="198.18.0.0/16"):
    """A sensor that watched up to so many seconds ago."""
    now = int(time.time()) - seconds
    pcap(f"{folder}/t.pcap", range(now - 100, now))
    good("sensor", "--read", f"{folder}/t.pcap", "--name", "t", "--watch", watch, "--data", data)


def kept(centre, offset):
    """A keep that works for a while, with a clock that is so far ahead; what it said."""
    keep = subprocess.Popen([BINARY, "keep", "--data", centre], stderr=subprocess.PIPE, text=True, env={**os.environ, "TEITEN_CLOCK_OFFSET": str(offset)})
    time.sleep(2.5)
    keep.terminate()
    return keep.communicate(timeout=20)[1]


def deliver(sensor, centre):
    os.makedirs(f"{centre}/spool", exist_ok=True)
    for name in os.listdir(f"{sensor}/spool"):
        if name.endswith(".batch"):
            os.rename(f"{sensor}/spool/{name}", f"{centre}/spool/{name}")


def observe_and_keep(folder, sensor, centre, ago=0, offset=0, watch="198.18.0.0/16"):
    """A sensor that watched up to so many seconds ago, what it has at the centre, and a keep that takes it."""
    batch(folder, sensor, ago, watch)
    deliver(sensor, centre)
    kept(centre, offset)


def test_silence_is_noticed_once_over_restarts_and_not_in_an_outage(folder):
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("t", sensor, centre)
    observe_and_keep(folder, sensor, centre)
    kept(centre, 65)
    assert [n["kind"] for n in told(centre)] == ["capturing"], told(centre)
    day = time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(time.time() + 1000))
    end = time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(time.time() + 3000))
    good("sensor", "outage", "t", day, end, "--data", centre)
    assert len(json.loads(good("sensor", "show", "t", "--json", "--data", centre))["outages"]) == 1
    kept(centre, 2000)
    assert len(told(centre)) == 1, told(centre)
    assert re.search(r"^t +outage", good("sensor", "list", "--data", centre, env={**os.environ, "TEITEN_CLOCK_OFFSET": "2000"}), re.M)
    said = kept(centre, 4000)
    assert "sensor t is silent" in said and "silent" not in kept(centre, 4100), said
    assert [n["kind"] for n in told(centre)] == ["capturing", "silent"] and 60 < told(centre)[1]["amount"] < 70, told(centre)
    observe_and_keep(folder, sensor, centre)
    assert [n["kind"] for n in told(centre)] == ["capturing", "silent", "capturing"], told(centre)
    one_line(run("sensor", "outage", "t", end, day, "--data", centre), 2)
    one_line(run("sensor", "outage", "t", "tomorrow", day, "--data", centre), 2)


def test_what_waits_while_the_keep_is_away_is_no_silence(folder):
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("t", sensor, centre)
    observe_and_keep(folder, sensor, centre)
    observe_and_keep(folder, sensor, centre, ago=-600, offset=610)      # ten minutes later, which the keep slept through
    assert [n["kind"] for n in told(centre)] == ["capturing"], told(centre)


def test_what_cannot_be_put_aside_is_told_once_and_holds_nothing_up(folder):
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("t", sensor, centre)
    os.makedirs(f"{centre}/spool", exist_ok=True)
    os.symlink("/etc/passwd", f"{centre}/spool/bbb.batch")
    os.mkfifo(f"{centre}/spool/ddd.batch")
    said = kept(centre, 0)
    assert said.count("cannot put") == 2 and len(said.splitlines()) < 10, said[:2000]
    observe_and_keep(folder, sensor, centre)
    assert [n["kind"] for n in told(centre)] == ["capturing"], told(centre)


def test_other_addresses_are_another_epoch(folder):
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("t", sensor, centre)
    for watch in ("198.18.0.0/16", "198.18.0.0/16", "198.18.0.0/17"):
        observe_and_keep(folder, sensor, centre, watch=watch)
    assert [n["kind"] for n in told(centre)] == ["capturing", "moved"], told(centre)
    with open(f"{centre}/epochs", encoding="ascii") as f:
        lines = f.read().splitlines()
    assert len(lines) == 2 and all(re.fullmatch(r"t [0-9a-f]{6} \S+", line) for line in lines), lines
    assert json.loads(good("sensor", "show", "t", "--json", "--data", centre))["addresses_since"] == lines[1].split()[2]
    assert "198.18" not in "".join(lines)


if __name__ == "__main__":
    run_tests("notify", globals())
