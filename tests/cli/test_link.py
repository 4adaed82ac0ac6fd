#!/usr/bin/env python3
"""From a sensor to a centre, from the outside: what is delivered arrives once, and everybody else is refused for a reason that is
counted. Requests are made and signed here without our code (openssl).

Usage: test_link.py BINARY. Prints one line a test."""
import base64
import hashlib
import http.client
import http.server
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

from cli import BINARY, Skip, certificate, one_line, pcap, run_tests, telescope

WATCHED = "198.18.0.0/16,2001:db8:8000::/48"
PARTS = '("@method" "@path" "content-digest" "content-length")'


def run(*args, **kw):
    return subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=120, check=False, **kw)


def good(*args, **kw):
    done = run(*args, **kw)
    assert done.returncode == 0, (args, done.returncode, done.stderr)
    return done.stdout


class Collect:
    def __init__(self, data, *more, port=0, env=None):
        self.process = subprocess.Popen([BINARY, "collect", "--data", data, "--listen", f"127.0.0.1:{port}", *more], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env=env)
        line = self.process.stdout.readline()
        assert line.startswith("ready: "), (line, self.process.stderr.read())
        self.url = line.split()[1]
        self.port = int(self.url.rsplit(":", 1)[1])

    def memory_mib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1)) / 1024

    def end(self, how=signal.SIGTERM):
        """What it counted, from its last line."""
        self.process.send_signal(how)
        _, said = self.process.communicate(timeout=30)
        last = said.strip().splitlines()[-1]
        return {name.strip(): int(n) for name, n in re.findall(r"([a-z_ ]+) (\d+)(?:,|$)", last.split("ending: ")[-1])}, said


def enrol(name, sensor, centre, *more):
    line = good("sensor", "key", "--name", name, "--data", sensor).split()
    good("sensor", "add", "--data", centre, *line[:2], *more)
    return line[1]


def observe(folder, name, data, *more):
    """Five days, and so five batches."""
    truth = telescope(f"{folder}/{name}.pcap", "--packets", "20000", "--length", str(5 * 86400), *more)
    good("sensor", "--read", f"{folder}/{name}.pcap", "--name", name, "--watch", WATCHED, "--data", data)
    return truth


def waiting(data):
    return sorted(n for n in os.listdir(f"{data}/spool") if n.endswith(".batch"))


def pem_of(data, path):
    """The sensor's secret as others write it (RFC 8410)."""
    with open(f"{data}/sensor.key", encoding="ascii") as f:
        seed = base64.b64decode(f.read().split(":")[1])
    der = bytes.fromhex("302e020100300506032b657004220420") + seed
    with open(path, "w", encoding="ascii") as f:
        f.write("-----BEGIN PRIVATE KEY-----\n" + base64.b64encode(der).decode() + "\n-----END PRIVATE KEY-----\n")
    return path


def address(name):
    """EPOCH.SERIAL.SENSOR.batch as an address."""
    epoch, serial, sensor = re.match(r"([0-9a-f]{16})\.(\d+)\.(.+)\.batch$", name).groups()
    return f"/v1/batches/{sensor}/{epoch}/{int(serial)}"


def first_of(sensor, folder):
    """A batch that waits: its address and bytes; the sensor's secret, and that of somebody else."""
    name, strange = waiting(sensor)[0], f"{folder}/strange.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", strange], check=True, capture_output=True)
    with open(f"{sensor}/spool/{name}", "rb") as f:
        return address(name), f.read(), pem_of(sensor, f"{folder}/t.pem"), strange


def heads(path, body, pem, sensor, created=None, length=None):
    digest = "sha-512=:" + base64.b64encode(hashlib.sha512(body).digest()).decode() + ":"
    params = f'{PARTS};created={int(created or time.time())};keyid="{sensor}";alg="ed25519"'
    base = f'"@method": PUT\n"@path": {path}\n"content-digest": {digest}\n"content-length": {len(body) if length is None else length}\n"@signature-params": {params}'
    with open(pem + ".base", "w", encoding="ascii") as f:
        f.write(base)
    signed = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", pem, "-in", pem + ".base"], check=True, capture_output=True).stdout
    return {"Content-Digest": digest, "Signature-Input": "sig1=" + params, "Signature": "sig1=:" + base64.b64encode(signed).decode() + ":"}


def put(port, path, body, headers):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=40)
    try:
        c.request("PUT", path, body, headers)
        r = c.getresponse()
        return r.status, r.read().decode().strip()
    finally:
        c.close()


def test_key_is_made_once_and_is_private(folder):
    first = run("sensor", "key", "--name", "kyoto-1", "--data", folder, "--watch", "198.18.0.0/28")
    again = run("sensor", "key", "--name", "kyoto-1", "--data", folder, "--watch", "198.18.0.0/28")
    assert first.stdout == again.stdout and re.fullmatch(r"kyoto-1 ed25519:[A-Za-z0-9+/]{43}= addresses=16\n", first.stdout), first.stdout
    assert os.stat(f"{folder}/sensor.key").st_mode & 0o777 == 0o600 and "keep it" in first.stderr and not again.stderr
    os.chmod(f"{folder}/sensor.key", 0o640)
    one_line(run("sensor", "key", "--name", "kyoto-1", "--data", folder), 1, "can be read by others", "chmod 600")
    one_line(run("sensor", "key", "--data", folder), 2, "--name")


def test_key_is_that_of_one_name(folder):
    """Under another name every batch would be refused for ever."""
    good("sensor", "key", "--name", "kyoto-1", "--data", folder)
    pcap(f"{folder}/t.pcap", range(1136073600, 1136073607))
    observed = ("sensor", "--read", f"{folder}/t.pcap", "--watch", WATCHED, "--data", folder)
    to = ("sensor", "--interface", "lo", "--watch", "127.0.0.0/8", "--data", folder, "--to", "http://127.0.0.1:1")
    for words in (observed, to, ("sensor", "key", "--data", folder)):
        one_line(run(*words, "--name", "other"), 1, "is that of kyoto-1", "--name kyoto-1")
    good(*observed, "--name", "kyoto-1")
    os.unlink(f"{folder}/sensor.name")                          # of a key whose name nobody wrote down
    good(*observed, "--name", "other")
    good("sensor", "key", "--name", "other", "--data", folder)
    one_line(run("sensor", "key", "--name", "kyoto-1", "--data", folder), 1, "is that of other")


def test_check_of_a_sensor_finds_what_is_wrong_and_makes_nothing(folder):
    data, path = f"{folder}/s", f"{folder}/sensor.conf"
    right = {"interface": "eth0", "watch": "192.0.2.0/28", "name": "kyoto-1", "data": data}
    to = {"to": "https://centre.example:8443"}

    def check(settings):
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(f"{key} = {value}\n" for key, value in settings.items())
        return run("sensor", "--check", "--config", path)
    for more, status, words in (({"interface": ""}, 1, ["interface", "line 1"]), ({"watch": "x"}, 2, ["watch"]), ({"name": "-"}, 2, ["name"]), ({"batch": "0"}, 2, ["batch"]),
                                ({"filter": "tcp and ("}, 2, ["filter"]), ({"nonsense": "1"}, 1, ["nonsense"]), ({"metrics": "127.0.0.1:1"}, 2, ["--to"]),
                                ({"to": "http://centre.example"}, 2, ["https://"]), ({**to, "bandwidth": "1"}, 2, ["bandwidth"]),
                                ({**to, "metrics": "0.0.0.0:1"}, 1, ["metrics"]), ({**to, "ca": path}, 1, ["no certificate"]), (to, 1, ["no key", "sensor key"])):
        one_line(check({**right, **more}), status, *words)
    done = check({**right, "filter": "not port 22"})
    assert done.returncode == 0 and "all 5 settings are right" in done.stdout and not os.path.exists(data), done
    good("sensor", "key", "--name", "kyoto-1", "--data", data)
    assert check({**right, **to, "metrics": "127.0.0.1:1"}).returncode == 0
    one_line(check({**right, **to, "name": "other"}), 1, "is that of kyoto-1")
    assert "right" in good("sensor", "--check", *(word for key, value in right.items() for word in (f"--{key}", value)))


def test_addresses_are_counted_once_each(folder):
    def counted(watch):
        return good("sensor", "key", "--name", "k", "--data", folder, "--watch", watch).split(" ", 2)[2].strip()
    assert counted("192.0.2.0/28,192.0.2.0/29") == counted("192.0.2.8,192.0.2.0/28,192.0.2.4/30") == "addresses=16"
    assert counted("192.0.2.0/28,192.0.2.16/29") == "addresses=24"
    assert counted("192.0.2.0/28,2001:db8::/126,2001:db8::2/127") == "addresses=16 addresses6=4"
    assert counted("192.0.2.0/28,::/0") == counted("::/0") == "addresses=4294967295 addresses6=4294967295"
    assert counted("0.0.0.0/0") == "addresses=4294967295" and counted("2001:db8::/32") == "addresses=0 addresses6=4294967295"


def test_list_takes_each_sensor_once_and_keeps_what_people_wrote(folder):
    os.mkdir(f"{folder}/sensors")
    with open(f"{folder}/sensors/enrolled", "w", encoding="utf-8") as f:
        f.write("# ours\n\n")
    enrol("a", f"{folder}/a", folder, "group=north", "#", "in the cellar")
    one_line(run("sensor", "add", "--data", folder, "a", good("sensor", "key", "--name", "a", "--data", f"{folder}/b").split()[1]), 1, "enrolled already")
    one_line(run("sensor", "add", "--data", folder, "b", good("sensor", "key", "--name", "a", "--data", f"{folder}/a").split()[1]), 1, "that of a already")
    told = json.loads(good("sensor", "show", "a", "--data", folder, "--json"))
    assert told["group"] == "north" and told["note"] == "in the cellar" and told["until"] is None, told
    good("sensor", "retire", "a", "--data", folder)
    with open(f"{folder}/sensors/enrolled", encoding="utf-8") as f:
        text = f.read()
    assert text.startswith("# ours\n\na ed25519:") and re.search(r"until=\d{4}-\d\d-\d\d # in the cellar\n$", text), text
    one_line(run("sensor", "show", "b", "--data", folder), 1, "b is not enrolled")


def test_who_was_retired_may_come_again(folder):
    """With the same key, by its line once more; with another it is somebody else until people say so."""
    key = enrol("a", f"{folder}/a", folder, "addresses=4", "from=2035-01-01", "#", "in the cellar")
    path = f"{folder}/sensors/enrolled"

    def listed():
        with open(path, encoding="utf-8") as f:
            return f.read()
    before = listed()
    good("sensor", "retire", "a", "--data", folder)
    assert "until=" in listed()
    strange = good("sensor", "key", "--name", "a", "--data", f"{folder}/b").split()[1]
    one_line(run("sensor", "add", "--data", folder, "a", strange), 1, "retired", path, f"`a {key}`")
    assert "may deliver again" in good("sensor", "add", "--data", folder, "a", key, "addresses=4", "from=2035-01-01", "#", "in the cellar")
    assert listed() == before
    one_line(run("sensor", "add", "--data", folder, "a", key), 1, "enrolled already")


def test_batches_arrive_once_over_tls_and_are_in_the_store(folder):
    pem, key = certificate(folder)
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("t", sensor, centre)
    truth = observe(folder, "t", sensor)
    copies = [shutil.copy(f"{sensor}/spool/{n}", f"{folder}/{n}") for n in waiting(sensor)]
    collect = Collect(centre, "--certificate", pem, "--key", key)
    wrong = run("ship", "--once", "--to", collect.url, "--data", sensor, "--ca", certificate(folder, "other")[0])
    assert wrong.returncode == 1 and "certificate" in wrong.stderr and "--ca FILE" in wrong.stderr and len(waiting(sensor)) == len(copies), wrong
    wrong = run("ship", "--once", "--to", collect.url, "--data", sensor, "--ca", key)
    assert wrong.returncode == 1 and f"{key} holds no certificate" in wrong.stderr and "verification" not in wrong.stderr, wrong
    good("ship", "--once", "--to", collect.url, "--data", sensor, "--ca", pem)
    assert not waiting(sensor) and waiting(centre)
    assert good("dump", *(f"{centre}/spool/{n}" for n in waiting(centre))).count("\nbatch ") == len(copies) - 1
    for path in copies:                     # the acknowledgement was lost: once more, also over a restart
        shutil.copy(path, f"{sensor}/spool/")
    good("ship", "--once", "--to", collect.url, "--data", sensor, "--ca", pem)
    counts, _ = collect.end()
    assert counts == {"taken": len(copies), "known": len(copies)}, counts
    collect = Collect(centre, "--certificate", pem, "--key", key)
    shutil.copy(copies[0], f"{sensor}/spool/")
    good("ship", "--once", "--to", collect.url, "--data", sensor, "--ca", pem)
    assert collect.end()[0] == {"known": 1}
    keep = subprocess.Popen([BINARY, "keep", "--data", centre], stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            time.sleep(0.1)
            if not waiting(centre):
                break
        rows = json.loads(good("top", "--data", centre, "--json", "--top", "all", "--kind", "scan,backscatter,error,other", "--from", "2005-12-01", "--until", "2006-02-01"))["rows"]
    finally:
        keep.terminate()
        keep.wait(20)
    assert sum(r["packets"] for r in rows) == truth["counted"], (sum(r["packets"] for r in rows), truth["counted"])


def test_server_in_front_with_tls_is_fine(folder):
    nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if not nginx:
        raise Skip("nginx is not there")
    pem, key = certificate(folder)
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("t", sensor, centre)
    observe(folder, "t", sensor)
    collect = Collect(centre)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with open(f"{folder}/nginx.conf", "w", encoding="ascii") as f:
        f.write(f"daemon off; pid {folder}/pid; error_log stderr; events {{}}\n"
                f"http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;\n"
                f"scgi_temp_path {folder}/g; client_max_body_size 4m;\n"
                f"server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {pem}; ssl_certificate_key {key}; location / {{ proxy_pass {collect.url}; }} }} }}\n")
    os.chmod(folder, 0o755)
    front = subprocess.Popen([nginx, "-p", folder, "-c", f"{folder}/nginx.conf"], stderr=subprocess.PIPE, text=True)
    try:
        time.sleep(1)
        done = run("ship", "--once", "--to", f"https://127.0.0.1:{port}", "--data", sensor, "--ca", pem)
    finally:
        front.terminate()
        said = front.communicate(timeout=20)[1]
    assert done.returncode == 0 and not waiting(sensor), (done.stderr, said)
    assert collect.end()[0] == {"taken": 5}


def test_rights_are_given_up_at_both_ends_and_batches_arrive(folder):
    """Over TLS, by name: what libraries need of the system they still get."""
    pem, key = certificate(folder)
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("t", sensor, centre)
    observe(folder, "t", sensor)
    user = ("--user", "nobody") if os.getuid() == 0 else ()
    os.chmod(folder, 0o755)
    collect = Collect(centre, "--certificate", pem, "--key", key, "--prove", *user)
    done = run("ship", "--once", "--prove", "--to", collect.url.replace("127.0.0.1", "localhost"), "--data", sensor, "--ca", pem, *user)
    assert "localhost" in done.stderr and "certificate" in done.stderr and done.returncode == 1, done.stderr     # the name is not in it
    done = run("ship", "--once", "--prove", "--to", collect.url, "--data", sensor, "--ca", pem, *user)
    assert done.returncode == 0 and "proved: no other file to write, no other program" in done.stderr and not waiting(sensor), done.stderr
    with open(f"{centre}/sensors/enrolled", "w", encoding="ascii"):             # read anew, still
        pass
    time.sleep(1.2)
    shutil.copy(f"{centre}/spool/{waiting(centre)[0]}", f"{sensor}/spool/0.batch")
    assert run("ship", "--once", "--to", collect.url, "--data", sensor, "--ca", pem).returncode == 1
    _, said = collect.end()
    assert "proved: no other file, no new socket, no other program" in said, said


def test_everybody_else_is_refused_and_counted(folder):
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("t", sensor, centre)
    enrol("late", f"{folder}/l", centre, "until=2020-01-01")
    observe(folder, "t", sensor)
    path, body, pem, strange = first_of(sensor, folder)
    other = path.replace("/t/", "/u/")
    collect = Collect(centre)
    port = collect.port
    right = heads(path, body, pem, "t")
    tries = {
        "unknown": (401, other, body, heads(other, body, pem, "u")),
        "forged": (401, path, body, heads(path, body, strange, "t")),
        "not_valid": (403, path.replace("/t/", "/late/"), body, heads(path.replace("/t/", "/late/"), body, pem_of(f"{folder}/l", f"{folder}/l.pem"), "late")),
        "clock": (422, path, body, heads(path, body, pem, "t", created=time.time() - 3600)),
        "altered": (400, path, body[:-1] + bytes([body[-1] ^ 1]), right),
        "damaged": (400, path, b"no batch", heads(path, b"no batch", pem, "t")),
        "no_letter": (400, path, body, {}),
    }
    for reason, (status, where, what, headers) in tries.items():
        got, text = put(port, where, what, headers)
        assert got == status and text, (reason, got, text)
    again = path.rsplit("/", 1)[0] + "/99"
    assert put(port, again, body, heads(again, body, pem, "t"))[0] == 400       # signed, but another batch than it says
    with socket.create_connection(("127.0.0.1", port)) as large:                # refused before it comes
        large.sendall(f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {5 << 20}\r\n\r\n".encode())
        assert b" 413 " in large.recv(4096)
    assert put(port, path, body[:-1], heads(path, body, pem, "t"))[0] == 401    # another length than was signed
    with socket.create_connection(("127.0.0.1", port)) as cut:                  # breaks off in the body
        lines = "".join(f"{k}: {v}\r\n" for k, v in right.items())
        cut.sendall(f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body[:100])
        time.sleep(0.3)
    with socket.create_connection(("127.0.0.1", port)) as chunked:
        chunked.sendall(f"PUT {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n{lines}\r\n0\r\n\r\n".encode())
        assert b" 411 " in chunked.recv(4096).split(b"\n")[0] + b" "
    with socket.create_connection(("127.0.0.1", port)) as both:                 # another length than the one that is told
        both.sendall(f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nTransfer-Encoding: chunked\r\n{lines}\r\n0\r\n\r\n".encode())
        assert b" 411 " in both.recv(4096)
    time.sleep(0.3)
    assert not waiting(centre)
    assert put(port, path, body, right) == (200, "taken " + path) and len(waiting(centre)) == 1
    assert put(port, path, body, right) == (200, "known " + path) and len(waiting(centre)) == 1
    with open(f"{centre}/sensors/enrolled", "w", encoding="ascii"):                     # locked out within seconds
        pass
    time.sleep(1.2)
    assert put(port, path, body, right)[0] == 401
    counts, said = collect.end()
    assert counts == {"taken": 1, "known": 1, "no_letter": 1, "unknown": 2, "forged": 2, "not_valid": 1, "clock": 1, "altered": 1, "damaged": 2,
                      "large": 1, "cut": 1, "no_length": 2}, (counts, said)


def test_list_says_addresses_and_group_of_its_sensors(folder):
    """Of those that the store meets for the first time, and of those that it knows; where a sensor stands is not in the list."""
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("t", sensor, centre, "addresses=16", "addresses6=4", "group=north")
    observe(folder, "t", sensor)
    os.makedirs(f"{centre}/spool")
    names = waiting(sensor)

    def known(*more):
        """What the store knows of it once a keep has taken what waits."""
        keep = subprocess.Popen([BINARY, "keep", "--data", centre], stderr=subprocess.DEVNULL)
        for _ in range(100):
            time.sleep(0.1)
            if not waiting(centre) and os.path.exists(f"{centre}/keep.sock"):
                break
        time.sleep(1)
        if more:
            good(*more, "--data", centre)
        one = json.loads(good("sensor", "list", "--json", "--data", centre))["sensors"][0]
        keep.terminate()
        keep.wait(20)
        return one["addresses"], one["group"], one["region"]
    shutil.move(f"{sensor}/spool/{names[0]}", f"{centre}/spool/")
    assert known("sensor", "set", "t", "--region", "JP") == (20, "north", "JP")
    with open(f"{centre}/sensors/enrolled", encoding="ascii") as f:
        line = f.read()
    with open(f"{centre}/sensors/enrolled", "w", encoding="ascii") as f:
        f.write(line.replace("addresses=16", "addresses=4294967295").replace("group=north", "group=south"))
    assert known() == (4294967295, "south", "JP")
    one_line(run("sensor", "set", "t", "--addresses", "5", "--data", centre), 1, "the list says", "sensors/enrolled")


def test_list_of_sensors_that_wait_for_a_centre_says_so(folder):
    enrol("t", f"{folder}/s", folder)
    one_line(run("sensor", "list", "--data", folder), 1, "no store", "teiten center")


def test_counters_can_be_read_on_this_machine(folder):
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("t", sensor, centre)
    observe(folder, "t", sensor)
    collect = Collect(centre, "--metrics", "127.0.0.1:0")
    where = int(collect.process.stdout.readline().split("127.0.0.1:")[1].split("/")[0])
    good("ship", "--once", "--to", collect.url, "--data", sensor)
    put(collect.port, "/v1/batches/x/0000000000000001/1", b"x", {})

    def read(path):
        c = http.client.HTTPConnection("127.0.0.1", where, timeout=10)
        c.request("GET", path)
        r = c.getresponse()
        return r.status, r.read().decode()
    status, text = read("/metrics")
    assert status == 200 and 'teiten_collect_requests_total{result="taken"} 5\n' in text and '{result="no_letter"} 1\n' in text, text
    assert all(re.fullmatch(r'#.*|[a-z_]+(\{[a-z]+="[a-z_]+"\})? \d+', line) for line in text.splitlines()), text
    keep = subprocess.Popen([BINARY, "keep", "--data", centre], stderr=subprocess.DEVNULL)
    for _ in range(150):
        time.sleep(.1)
        text = read("/metrics")[1]
        if 'teiten_keep_batches_total{result="stored"} 5\n' in text:
            break
    keep.terminate()
    keep.wait(20)
    assert "teiten_keep_packets_total " in text and 'teiten_keep_sensors{state="' in text and "teiten_keep_commit_seconds_total " in text, text
    assert read("/healthz") == (200, "ok\n") and read("/")[0] == 404
    collect.end()
    one_line(run("collect", "--data", centre, "--listen", "127.0.0.1:0", "--metrics", "0.0.0.0:0"), 1, "this machine alone", "counters")


def test_requests_that_are_none_of_a_sensors_are_counted(folder):
    collect = Collect(folder, "--metrics", "127.0.0.1:0")
    where = int(collect.process.stdout.readline().split("127.0.0.1:")[1].split("/")[0])
    head = b"PUT /v1/batches/t/0000000000000001/1 HTTP/1.1\r\nHost: x\r\n"
    for reason, status, request in (("no_length", 411, head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), ("no_length", 411, head + b"\r\n"),
                                    ("malformed", 413, head + b"Content-Length: 99999999999999999999\r\n\r\n"),
                                    ("malformed", 400, head + b"Content-Length: x\r\n\r\n"), ("malformed", 431, head + b"X: " + b"a" * 50000 + b"\r\n\r\n"),
                                    ("long_address", 414, b"PUT /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"),
                                    ("not_allowed", 405, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"), ("not_found", 404, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")):
        with socket.create_connection(("127.0.0.1", collect.port), timeout=10) as s:
            s.sendall(request)
            assert f" {status} ".encode() in s.recv(4096), (reason, status)
    time.sleep(0.3)
    c = http.client.HTTPConnection("127.0.0.1", where, timeout=10)
    c.request("GET", "/metrics")
    text = c.getresponse().read().decode()
    assert all(f'{{result="{reason}"}} {n}\n' in text for reason, n in (("no_length", 2), ("malformed", 3), ("long_address", 1), ("not_allowed", 1), ("not_found", 1))), text
    assert collect.end()[0] == {"no_length": 2, "malformed": 3, "long_address": 1, "not_allowed": 1, "not_found": 1}


class BadLine:
    """Passes connections on to a port, but only in the last tenth of each turn; then all of them break."""

    def __init__(self, port, turn_s):
        self.port, self.turn_s, self.open, self.ended = port, turn_s, [], False
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.socket.getsockname()[1]}"
        for work in (self.accept, self.cut):
            threading.Thread(target=work, daemon=True).start()

    def is_up(self):
        return time.time() / self.turn_s % 1 > .9

    def accept(self):
        while True:
            one = self.socket.accept()[0]
            if not self.is_up():
                one.close()
                continue
            try:
                other = socket.create_connection(("127.0.0.1", self.port), timeout=5)
                other.settimeout(None)
            except OSError:
                one.close()
                continue
            self.open += [one, other]
            for a, b in ((one, other), (other, one)):
                threading.Thread(target=self.carry, args=(a, b), daemon=True).start()

    @staticmethod
    def carry(a, b):
        try:
            while data := a.recv(1 << 16):
                b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        while True:
            time.sleep(self.turn_s / 50)
            while self.open and not self.is_up():
                try:
                    self.open[-1].shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                self.open.pop().close()


def test_line_that_is_down_nine_tenths_of_the_time(folder):
    """A batch every ten minutes, the line up for six minutes of each hour, and two thousand seconds in one: everything arrives once.
    LINE_DAYS is how long: a day unless given."""
    pem, key = certificate(folder)
    sensor, centre, batches, rate = f"{folder}/s", f"{folder}/c", 144 * int(os.environ.get("LINE_DAYS", "1")), 2000
    enrol("t", sensor, centre)
    pcap(f"{folder}/t.pcap", range(1136073600, 1136073600 + 7))
    for i in range(batches):
        good("sensor", "--read", f"{folder}/t.pcap", "--name", "t", "--watch", WATCHED, "--data", f"{folder}/made")
    env = {**os.environ, "TEITEN_CLOCK_RATE": f"{rate}:{time.time():.3f}"}
    collect = Collect(centre, "--certificate", pem, "--key", key, env=env)
    line = BadLine(collect.port, 3600 / rate)
    os.makedirs(f"{sensor}/spool")
    log = open(f"{folder}/log", "w+", encoding="utf-8")         # a pipe that nobody reads would fill, and hold it up
    ship = subprocess.Popen([BINARY, "ship", "--to", line.url, "--ca", pem, "--data", sensor], stderr=log, env=env)
    begun, most = time.time(), 0
    for i, name in enumerate(waiting(f"{folder}/made")):
        time.sleep(max(0, begun + i * 600 / rate - time.time()))
        os.rename(f"{folder}/made/spool/{name}", f"{sensor}/spool/{name}")
        most = max(most, len(waiting(sensor))) if i % 10 == 0 else most
    took = time.time() - begun
    for _ in range(600):
        if not waiting(sensor):
            break
        time.sleep(.1)
    ship.terminate()
    ship.wait(60)
    log.seek(0)
    said = log.read()
    log.close()
    counts, _ = collect.end()
    taken = sum(int(n) for name in waiting(centre) for n in re.findall(r"seen=(\d+)", good("dump", f"{centre}/spool/{name}")))
    print(f"# {took * rate / 86400:.1f} days in {took:.0f} s, {most} batches waited at most, counts {counts}")
    assert not waiting(sensor) and counts["taken"] == batches and taken == 7 * batches, (len(waiting(sensor)), counts, taken, said[-500:])


def test_silence_is_told_once_and_listed(folder):
    """Alive means capturing: of two that may deliver one does, until it does not any more."""
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("t", sensor, centre)
    enrol("mute", f"{folder}/m", centre)
    enrol("old", f"{folder}/o", centre, "until=2020-01-01")
    now = int(time.time())
    pcap(f"{folder}/t.pcap", range(now - 100, now))
    good("sensor", "--read", f"{folder}/t.pcap", "--name", "t", "--watch", WATCHED, "--data", sensor)
    for name in waiting(sensor):
        shutil.move(f"{sensor}/spool/{name}", f"{centre}/spool/{name}") if os.path.isdir(f"{centre}/spool") else shutil.copytree(f"{sensor}/spool", f"{centre}/spool")

    def listed(offset):
        env = {**os.environ, "TEITEN_CLOCK_OFFSET": str(offset)}
        keep = subprocess.Popen([BINARY, "keep", "--data", centre], stderr=subprocess.PIPE, text=True, env=env)
        time.sleep(2.5)
        told = json.loads(good("sensor", "list", "--json", "--data", centre, env=env))
        text = good("sensor", "list", "--data", centre, env=env)
        keep.terminate()
        return told, text, keep.communicate(timeout=20)[1]
    told, text, said = listed(0)
    assert told["sensors"][0]["state"] == "capturing" and told["not_heard"] == ["mute", "old"], told
    assert re.search(r"^mute +never heard", text, re.M) and re.search(r"^old +retired", text, re.M) and "silent" not in said, (text, said)
    told, _, said = listed(1200)
    assert told["sensors"][0]["state"] == "silent" and said.count("sensor t is silent") == 1, (told, said)


def test_refused_batches_hold_up_no_other_and_stay(folder):
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("t", sensor, centre)
    observe(folder, "t", sensor)
    good("sensor", "--read", f"{folder}/t.pcap", "--name", "renamed", "--watch", WATCHED, "--data", f"{folder}/o")
    strange = waiting(f"{folder}/o")[:2]
    shutil.copy(f"{folder}/o/spool/{strange[0]}", f"{sensor}/spool/")               # the newest
    os.utime(shutil.copy(f"{folder}/o/spool/{strange[1]}", f"{sensor}/spool/"), (1e9, 1e9))     # the oldest
    with open(f"{sensor}/spool/damaged.batch", "wb") as f:
        f.write(b"garbage")
    os.utime(f"{sensor}/spool/damaged.batch", (9e8, 9e8))
    collect = Collect(centre)
    done = run("ship", "--once", "--to", collect.url, "--data", sensor)
    assert done.returncode == 1 and "401" in done.stderr and "damaged.batch" in done.stderr, done.stderr
    assert waiting(sensor) == sorted(strange) and os.listdir(f"{sensor}/spool/refused") == ["damaged.batch"], os.listdir(f"{sensor}/spool")
    assert collect.end()[0] == {"taken": 5, "unknown": 2}


def test_batches_of_a_time_that_cannot_be_are_refused_and_stay(folder):
    """A clock that was wrong when they were made, and is right when they are signed."""
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("t", sensor, centre)
    pcap(f"{folder}/t.pcap", range(799999200, 799999300))       # 1995
    good("sensor", "--read", f"{folder}/t.pcap", "--name", "t", "--watch", WATCHED, "--data", sensor)
    names = waiting(sensor)
    collect = Collect(centre)
    done = run("ship", "--once", "--to", collect.url, "--data", sensor)
    assert done.returncode == 1 and "422" in done.stderr and "2000" in done.stderr and waiting(sensor) == names, done.stderr
    assert collect.end()[0] == {"unsound": 1} and not waiting(centre)


def test_only_a_collectors_receipt_lets_a_batch_go(folder):
    """Neither a web server that says 200 to everything, nor a proxy that the environment names for this machine."""
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("t", sensor, centre)
    observe(folder, "t", sensor)

    class Polite(http.server.BaseHTTPRequestHandler):
        def do_PUT(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Polite) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        done = run("ship", "--once", "--to", url, "--data", sensor)
        assert done.returncode == 1 and "no receipt" in done.stderr and len(waiting(sensor)) == 5, done
        done = run("ship", "--once", "--to", "http://127.0.0.1:1", "--data", sensor, env={**os.environ, "http_proxy": url})
        assert done.returncode == 1 and "no receipt" not in done.stderr and len(waiting(sensor)) == 5, done
        server.shutdown()
    one_line(run("ship", "--once", "--to", "http://localhost:x@centre.example", "--data", sensor), 2, "https://")


def test_end_is_not_held_up_by_a_centre_that_does_not_answer(folder):
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("t", sensor, centre)
    observe(folder, "t", sensor)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        ship = subprocess.Popen([BINARY, "ship", "--to", f"http://127.0.0.1:{silent.getsockname()[1]}", "--data", sensor], stderr=subprocess.PIPE, text=True)
        time.sleep(1.5)
        asked = time.time()
        ship.terminate()
        ship.communicate(timeout=20)
    assert time.time() - asked < 5 and len(waiting(sensor)) == 5 and ship.returncode == 0


def test_list_is_changed_by_one_at_a_time(folder):
    lines = [good("sensor", "key", "--name", f"s{i}", "--data", f"{folder}/k{i}").split() for i in range(8)]
    adding = [subprocess.Popen([BINARY, "sensor", "add", "--data", folder, *line], stdout=subprocess.DEVNULL) for line in lines]
    assert all(p.wait(20) == 0 for p in adding)
    with open(f"{folder}/sensors/enrolled", encoding="ascii") as f:
        assert len(f.readlines()) == 8


def test_list_that_cannot_be_read_for_a_while_still_locks_out(folder):
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("t", sensor, centre)
    observe(folder, "t", sensor)
    if os.getuid() != 0:
        raise Skip("needs root: another user's list")
    os.chmod(folder, 0o755)
    collect = Collect(centre, "--user", "nobody")
    with open(f"{centre}/sensors/new", "w", encoding="ascii"):
        pass
    os.chmod(f"{centre}/sensors/new", 0o600)
    os.rename(f"{centre}/sensors/new", f"{centre}/sensors/enrolled")
    time.sleep(1.2)
    run("ship", "--once", "--to", collect.url, "--data", sensor)
    os.chmod(f"{centre}/sensors/enrolled", 0o644)
    time.sleep(1.2)
    observe(folder, "t", sensor)
    assert run("ship", "--once", "--to", collect.url, "--data", sensor).returncode == 1
    assert "cannot open" in collect.end()[1]


def test_list_that_becomes_wrong_is_told_and_changes_nothing(folder):
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("t", sensor, centre)
    observe(folder, "t", sensor)
    collect = Collect(centre)
    with open(f"{centre}/sensors/enrolled", "a", encoding="ascii") as f:
        f.write("nonsense\n")
    time.sleep(1.2)
    good("ship", "--once", "--to", collect.url, "--data", sensor)
    time.sleep(0.5)
    _, said = collect.end()
    assert "line 2" in said and "no key" in said and not waiting(sensor), said


def test_each_mistake_of_the_list_is_told_once_and_its_end_too(folder):
    """A collector that is started while the list is wrong, or not there, lets nobody in until it is right."""
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("t", sensor, centre)
    observe(folder, "t", sensor)
    path = f"{centre}/sensors/enrolled"
    with open(path, encoding="ascii") as f:
        right = f.read()
    os.remove(path)
    collect = Collect(centre)
    for text in right + "one nonsense\n", right + "\ntwo nonsense\n", right + right, right:
        time.sleep(2.5)
        assert len(waiting(sensor)) == 5 and "not enrolled" in run("ship", "--once", "--to", collect.url, "--data", sensor).stderr
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
    time.sleep(2.5)
    good("ship", "--once", "--to", collect.url, "--data", sensor)
    for name in ("again", "wrong"):
        with open(path, "w", encoding="ascii") as f:
            f.write(right if name == "again" else right + "three\n")
        time.sleep(2.5)
    _, said = collect.end()
    told = [line.split("collect: ")[1] for line in said.splitlines() if path in line]
    words = ("is not there: nobody is let in", "nobody is let in: ", "nobody is let in: ", "twice", "right again, with 1 sensors", "the list before goes on to hold: ")
    assert len(told) == len(words) and all(w in line for w, line in zip(words, told)), said


def test_second_collector_of_a_folder_is_refused(folder):
    collect = Collect(folder)
    done = subprocess.run(["timeout", "5", BINARY, "collect", "--data", folder, "--listen", "127.0.0.1:0"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "a collector works here already" in done.stderr.strip().splitlines()[-1], done
    collect.end()


def test_damaged_memory_of_what_came_is_told_and_begun_anew(folder):
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("t", sensor, centre)
    observe(folder, "t", sensor)
    collect = Collect(centre)
    good("ship", "--once", "--to", collect.url, "--data", sensor)
    collect.end()
    with open(f"{centre}/spool/received", "r+b") as f:
        f.write(b"\0\1\n\0")
    collect = Collect(centre)
    time.sleep(.5)
    _, said = collect.end()
    assert "received: 2 lines are damaged and forgotten" in said, said


def test_who_does_not_finish_is_cut_off_and_others_are_not_held_up(folder):
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("t", sensor, centre)
    observe(folder, "t", sensor)
    collect = Collect(centre)
    slow = [socket.create_connection(("127.0.0.1", collect.port)) for _ in range(200)]
    ended = threading.Event()

    def dribble():
        for i in range(60):
            for s in slow:
                try:
                    s.send(b"P" if i == 0 else b"UT /v1/batches/t HTTP/1.1\r\nHost: x\r\nX: "[i:i + 1])
                except OSError:
                    pass
            if ended.wait(1):
                return
    thread = threading.Thread(target=dribble)
    thread.start()
    try:
        before = time.time()
        good("ship", "--once", "--to", collect.url, "--data", sensor)
        assert time.time() - before < 5 and not waiting(sensor)
        time.sleep(max(0, 33 - (time.time() - before)))
    finally:
        ended.set()
        thread.join()
    for s in slow:
        s.close()
    counts, said = collect.end()
    assert counts["cut off"] == 200, (counts, said)


def test_ten_thousand_bad_requests_leave_nothing_behind(folder):
    """Of every kind that costs the centre something, over a few connections; a sensor delivers meanwhile."""
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("t", sensor, centre)
    observe(folder, "t", sensor)
    path, body, pem, strange = first_of(sensor, folder)
    junk = os.urandom(1 << 16)
    kinds = [(path, body, heads(path, body, strange, "t"), 401), (path.replace("/t/", "/u/"), body, heads(path.replace("/t/", "/u/"), body, strange, "u"), 401),
             (path, body, {}, 400), (path, junk, heads(path, junk, pem, "t"), 400), (path, junk[:len(body)], heads(path, body, pem, "t"), 400),
             (path, body, heads(path, body, pem, "t", created=time.time() - 3600), 422), ("/", body, heads(path, body, pem, "t"), 400)]
    collect = Collect(centre)
    put(collect.port, *kinds[0][:3])
    before = collect.memory_mib()

    def attack(kind):
        where, what, headers, status = kind
        c = http.client.HTTPConnection("127.0.0.1", collect.port, timeout=40)
        for _ in range(1500):
            c.request("PUT", where, what, headers)
            r = c.getresponse()
            known = r.read().startswith(b"known ")          # once the sensor has delivered it
            if r.status not in (status, 429) and not known:
                wrong.append((r.status, status, where))
        c.close()
    wrong = []
    threads = [threading.Thread(target=attack, args=(k,)) for k in kinds]
    for t in threads:
        t.start()
    delivered = run("ship", "--once", "--to", collect.url, "--data", f"{sensor}")
    for t in threads:
        t.join()
    after = collect.memory_mib()
    counts, said = collect.end()
    assert not wrong and after - before < 64, (wrong[:3], before, after)
    assert sum(n for what, n in counts.items() if what not in ("taken", "cut off")) == 1500 * len(kinds) + 1, (counts, said)
    assert delivered.returncode == 0 or "429" in delivered.stderr, delivered.stderr
    assert counts.get("taken", 0) + len(waiting(sensor)) == 5, (counts, waiting(sensor))


def test_wrong_use_says_what_is_missing(folder):
    one_line(run("ship", "--data", folder), 2, "--to")
    one_line(run("ship", "--data", folder, "--to", "http://centre.example"), 2, "https://")
    one_line(run("collect", "--data", folder, "--listen", "0.0.0.0:0"), 2, "certificate")
    one_line(run("collect", "--data", folder, "--key", "x"), 2, "belong together")
    one_line(run("collect", "--data", folder, "--listen", "127.0.0.1:0", "--key", f"{folder}/x", "--certificate", f"{folder}/x"), 1, "is not a file")


if __name__ == "__main__":
    run_tests("link", globals())
