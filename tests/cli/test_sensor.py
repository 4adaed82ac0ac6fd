#!/usr/bin/env python3
"""teiten sensor from the outside: a file on the path of live packets, and live packets between network namespaces that the
tests make themselves (as root; else those tests are skipped, saying so).

Usage: test_sensor.py BINARY. Prints one line a test."""
import collections
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

from cli import BINARY, Namespaces, Skip, command, frame, pcap, run_tests, telescope

WATCHED = "198.18.0.0/16,2001:db8:8000::/48"
START_S = 1.5


def run(*args, status=0, **kw):
    done = subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=120, **kw)
    assert done.returncode == status, (args, done.returncode, done.stderr)
    return done


def batches(data):
    """What the spool holds: rows of `dump` and the batches' heads."""
    spool = os.path.join(data, "spool")
    names = sorted(os.path.join(spool, n) for n in os.listdir(spool) if n.endswith(".batch"))
    heads, rows, watched = [], [], 0
    for at in range(0, len(names), 200):
        for line in run("dump", *names[at:at + 200]).stdout.splitlines():
            pairs = dict(re.findall(r"(\w+)=(\S+)", line))
            if line.startswith("batch "):
                heads.append(pairs)
            elif line.startswith("watched "):
                minutes = (time.mktime(time.strptime(pairs["until"][:16], "%Y-%m-%dT%H:%M")) -
                           time.mktime(time.strptime(pairs["from"][:16], "%Y-%m-%dT%H:%M"))) / 60
                watched += int(pairs["seconds"]) * minutes
            elif line.strip():
                when, src, port, kind = line.split()[:4]
                rows.append({"minute": when, "src": src, "port": port, "kind": kind, "mark": int(pairs["mark"], 16),
                             "packets": int(pairs["packets"]), "bytes": int(pairs["bytes"]), "dsts": int(pairs["dsts"])})
    return heads, rows, watched


def packets(rows, key):
    sums = collections.Counter()
    for row in rows:
        sums[row[key]] += row["packets"]
    return sums


def as_truth(truth, rows):
    assert sum(r["packets"] for r in rows) == truth["counted"], (sum(r["packets"] for r in rows), truth["counted"])
    assert sum(r["bytes"] for r in rows) == truth["bytes"]
    assert packets(rows, "kind") == {k: v for k, v in truth["kinds"].items() if v}
    assert len({r["src"] for r in rows}) == truth["sources"]


def test_file_on_the_live_path_gives_the_truth(folder):
    path = f"{folder}/t.pcap"
    truth = telescope(path, "--packets", "200000", "--odd", "0.05", "--length", "600")
    for how in ([path], ["-"]):
        data = f"{folder}/{'pipe' if how == ['-'] else 'file'}"
        with open(path, "rb") as f:
            told = json.loads(run("sensor", "--read", *how, "--name", "t", "--watch", WATCHED, "--data", data, "--json", stdin=f).stdout)
        assert told["came"] == truth["packets"] and told["counted"] == truth["counted"], (told, truth["counted"])
        assert told["refused"] == {k: v for k, v in truth["refused"].items() if v}, told
        heads, rows, watched = batches(data)
        as_truth(truth, rows)
        assert 1 < len(heads) < 10 and [int(h["serial"]) for h in heads] == list(range(1, len(heads) + 1)), heads
        assert 599 <= watched <= 600, watched


def test_two_minutes_are_open_and_what_comes_later_is_told(folder):
    at = 1136073600
    path = pcap(f"{folder}/t.pcap", [at, at + 61, at + 59, at + 125, at + 62, at + 3])
    told = json.loads(run("sensor", "--read", path, "--name", "t", "--watch", WATCHED, "--data", f"{folder}/d", "--json").stdout)
    assert told["counted"] == 5 and told["refused"] == {"late": 1}, told


def test_damaged_frame_moves_no_clock_and_one_wrong_time_costs_nothing(folder):
    at = 1136073600
    path = pcap(f"{folder}/t.pcap", [at + i for i in range(10)])
    with open(path, "ab") as f:
        f.write(struct.pack("<IIII", at + 3590, 0, 1, 60) + b"\x45")
        f.write(b"".join(struct.pack("<IIII", at + 10 + i // 100, 0, 40, 40) + frame(0, i)[16:] for i in range(3000)))
    told = json.loads(run("sensor", "--read", path, "--name", "t", "--watch", WATCHED, "--data", f"{folder}/d", "--json").stdout)
    assert told["counted"] == 3010 and sum(told["refused"].values()) == 1 and told["clock_steps"] == 0, told
    assert batches(f"{folder}/d")[2] == 40
    path = pcap(f"{folder}/u.pcap", [at, at + 3000] + [at + i for i in range(1, 100)])
    told = json.loads(run("sensor", "--read", path, "--name", "t", "--watch", WATCHED, "--data", f"{folder}/e", "--json").stdout)
    assert told["counted"] == 101 and not told["refused"] and told["clock_steps"] == 1, told
    path = pcap(f"{folder}/v.pcap", [at + (i % 2) * 86400 for i in range(5000)])      # to and fro: bounded
    told = json.loads(run("sensor", "--read", path, "--name", "t", "--watch", WATCHED, "--data", f"{folder}/f", "--json").stdout)
    assert told["counted"] + told["refused"]["late"] == 5000 and told["clock_steps"] == 1000, told


def test_hours_without_a_packet_are_not_observed_and_a_clock_that_is_set_loses_nothing(folder):
    at = 1136073600
    path = pcap(f"{folder}/t.pcap", [at, at + 7, at + 86400 * 3, at + 86400 * 3 + 1])
    told = json.loads(run("sensor", "--read", path, "--name", "t", "--watch", WATCHED, "--data", f"{folder}/d", "--json").stdout)
    heads, _, watched = batches(f"{folder}/d")
    assert told["counted"] == 4 and len(heads) == 2 and watched == 10, (told, len(heads), watched)
    path = pcap(f"{folder}/u.pcap", [at + i for i in range(50)] + [at + 36000] + [at + i for i in range(50, 100)])
    told = json.loads(run("sensor", "--read", path, "--name", "t", "--watch", WATCHED, "--data", f"{folder}/e", "--json").stdout)
    assert told["counted"] == 101 and not told["refused"] and told["clock_steps"] == 1, told


def test_what_ours_send_to_one_another_does_not_leave(folder):
    with open(f"{folder}/t.pcap", "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        f.write(frame(1136073600).replace(bytes([198, 51, 100, 0]), bytes([198, 18, 0, 9])))
    told = json.loads(run("sensor", "--read", f"{folder}/t.pcap", "--name", "t", "--watch", " 198.18.0.0/16 , ::1/128", "--data", f"{folder}/d", "--json").stdout)
    assert told["counted"] == 0 and told["refused"] == {"leaving": 1}, told


def test_file_that_breaks_off_is_kept_up_to_there(folder):
    path = pcap(f"{folder}/t.pcap", [1136073600 + i for i in range(50)])
    with open(path, "r+b") as f:
        f.truncate(os.path.getsize(path) - 7)
    done = run("sensor", "--read", path, "--name", "t", "--watch", WATCHED, "--data", f"{folder}/d", "--json", status=1)
    assert json.loads(done.stdout)["counted"] == 49 and "breaks off" in done.stderr, done


def sums(data):
    """Packets in batches; packets that they tell as lost, or that the next one will."""
    heads, rows, _ = batches(data)
    left = sum(int(n.split(".")[0]) for n in os.listdir(f"{data}/spool") if n.endswith(".lost"))
    return sum(r["packets"] for r in rows), sum(int(h["lost"]) for h in heads) + left


def test_full_spool_gives_up_the_oldest_and_tells_it(folder):
    path = f"{folder}/t.pcap"
    truth = telescope(path, "--packets", "400000", "--sources", "100000", "--length", str(8 * 86400))
    done = run("sensor", "--read", path, "--name", "t", "--watch", WATCHED, "--data", f"{folder}/d", "--json", "--spool-max", "1")
    told, (here, lost) = json.loads(done.stdout), sums(f"{folder}/d")
    size = sum(os.path.getsize(f"{folder}/d/spool/{n}") for n in os.listdir(f"{folder}/d/spool"))
    assert told["counted"] == truth["counted"] == here + lost and here and lost, (told, here, lost)
    lines = re.findall(r"the spool is full: (\d+) of the oldest batches were given up", done.stderr)
    assert 1 <= len(lines) <= 2 and sum(map(int, lines)) > 3, done.stderr           # at once, and the rest at the end: not for each batch
    assert size < 1.3 * (1 << 20) and not [n for n in os.listdir(f"{folder}/d/spool") if n.endswith(".lost")], (size, os.listdir(f"{folder}/d/spool"))


def test_batches_that_are_too_old_are_given_up_and_told_so(folder):
    path, data = f"{folder}/t.pcap", f"{folder}/d"
    telescope(path, "--packets", "2000", "--length", "1200")
    for _ in range(2):
        done = run("sensor", "--read", path, "--name", "t", "--watch", WATCHED, "--data", data, "--spool-days", "1")
        assert done.returncode == 0, done.stderr
        for name in os.listdir(f"{data}/spool"):
            os.utime(f"{data}/spool/{name}", (1, 1))
    assert "too old: 1 batches were given up" in done.stderr and "full" not in done.stderr, done.stderr


def test_full_disk_makes_room_for_the_newest(folder):
    """A real one, through all that the sensor may still do."""
    path, data = f"{folder}/t.pcap", f"{folder}/d"
    truth = telescope(path, "--packets", "200000", "--sources", "100000", "--length", "3000")
    os.mkdir(data)
    if os.getuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=500k", "tmpfs", data], capture_output=True).returncode != 0:
        raise Skip("needs root and tmpfs")
    try:
        done = subprocess.run([BINARY, "sensor", "--read", path, "--name", "t", "--watch", WATCHED, "--data", data, "--json"], capture_output=True, text=True)
        told, (here, lost) = json.loads(done.stdout), sums(data)
        assert told["counted"] == truth["counted"] == here + lost + told["untold"] and told["untold"] == 0 and done.returncode == 0, (told, here, lost)
        assert here > truth["counted"] / 10 and lost and "given up" in done.stderr, (here, lost)
    finally:
        subprocess.run(["umount", data], check=True)


def test_disk_that_fails_at_any_step_loses_nothing_untold(folder):
    """Each write, sync and rename in turn, until a run meets none; then from each on, for the rest of the run."""
    path = f"{folder}/t.pcap"
    truth = telescope(path, "--packets", "4000", "--length", str(3 * 86400))
    for kind in ("", "-"):
        for step in range(1, 100):
            data = f"{folder}/d{kind}{step}"
            done = subprocess.run([BINARY, "sensor", "--read", path, "--name", "t", "--watch", WATCHED, "--data", data, "--json"], capture_output=True,
                                  text=True, env={**os.environ, "TEITEN_FAULT": f"disk:{step}{kind}"}, timeout=60, check=False)
            if not done.stdout.startswith('{"sensor"'):         # nothing could be written from the start
                assert done.returncode == 1 and "cannot write" in done.stdout, done
                continue
            told = json.loads(done.stdout)
            here, lost = sums(data)
            assert told["counted"] == truth["counted"] and here + lost + told["untold"] == truth["counted"], (step, kind, told, here, lost)
            if done.returncode == 0 and "cannot write" not in done.stderr and not lost:
                break
        assert step > 8, (kind, step)


def test_sensor_needs_no_library_of_the_store(folder):
    """The program alone, as on a machine that only observes: a store is refused in one line, a file is observed."""
    alone = shutil.copy(BINARY, f"{folder}/teiten")
    path = pcap(f"{folder}/t.pcap", [1136073600])
    done = subprocess.run([alone, "sensor", "--read", path, "--name", "t", "--watch", WATCHED, "--data", f"{folder}/d", "--json"], capture_output=True, text=True)
    assert done.returncode == 0 and json.loads(done.stdout)["counted"] == 1, done
    done = subprocess.run([alone, "import", path, "--sensor", "t", "--data", f"{folder}/f"], capture_output=True, text=True)
    assert done.returncode == 1 and "libduckdb.so" in done.stderr and len(done.stderr.strip().splitlines()) == 1, done


def test_wrong_use_says_what_is_missing(folder):
    for args, word in ((["--interface", "lo"], "--name"), (["--interface", "lo", "--name", "a"], "--watch"), (["--name", "a"], "--interface"),
                       (["--interface", "lo", "--read", "x", "--name", "a"], "exclude"), (["--read", "x", "--name", "-a"], "name"),
                       (["--interface", "lo", "--name", "a", "--watch", WATCHED, "--snaplen", "5"], "snaplen"), (["--workers", "2", "--read", "x", "--name", "a"], "workers"),
                       (["--filter", "udp", "--read", "x", "--name", "a"], "filter"), (["--addresses", "2", "--read", "x", "--name", "a"], "addresses")):
        done = run("sensor", *args, "--data", f"{folder}/d", status=2)
        assert word in done.stderr and len(done.stderr.strip().splitlines()) == 1, (args, done.stderr)


class Wire(Namespaces):
    """Two namespaces with a wire between them; the sensor observes at its end of it."""

    def __init__(self):
        super().__init__("tt-o", "tt-t")
        self.ours, self.theirs = self.names

    def join(self):
        self.wire((self.ours, "to", "198.18.0.1/15"), (self.theirs, "tt", "198.19.0.1/15"))

    def sensor(self, data, *more, before=()):
        return Sensor(["ip", "netns", "exec", self.ours, *before, BINARY, "sensor", "--interface", "to", "--watch", WATCHED, "--name", "live",
                       "--data", data, "--json", "--promiscuous", *more])

    def send(self, path, pause=0):
        """Every frame of a pcap, from the other end. Returns how many."""
        code = ("import socket,struct,sys,time\n"
                "s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW);s.bind(('tt',0));f=open(sys.argv[1],'rb');f.read(24);n=0\n"
                "while (h:=f.read(16)):\n"
                " s.send(f.read(struct.unpack('<I',h[8:12])[0]));n+=1\n"
                " if n%64==0: time.sleep(float(sys.argv[2]))\n"
                "print(n)")
        return int(command("ip", "netns", "exec", self.theirs, sys.executable, "-c", code, path, str(pause)).stdout)


class Sensor:
    def __init__(self, words):
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(START_S)

    def end(self):
        self.process.send_signal(signal.SIGINT)         # `ip netns exec` becomes the sensor
        out, err = self.process.communicate(timeout=30)
        assert self.process.returncode == 0, (self.process.returncode, err)
        return json.loads(out), err


def live(folder, *more, before=()):
    path, data = f"{folder}/t.pcap", f"{folder}/d"
    truth = telescope(path, "--packets", "60000")
    with Wire() as wire:
        sensor = wire.sensor(data, *more, before=before)
        sent = wire.send(path, .001)
        time.sleep(.5)
        told, err = sensor.end()
    assert sent == truth["packets"] and told["lost"] == 0 and told["untold"] == 0, (sent, told)
    assert told["counted"] == truth["counted"], (told, truth["counted"])
    for reason in ("fragment", "proto"):
        assert told["refused"][reason] == truth["refused"][reason], (reason, told)
    as_truth(truth, batches(data)[1])
    return err


def test_live_packets_are_counted_to_the_last_one(folder):
    live(folder)


def test_rights_are_given_up_and_packets_go_on(folder):
    os.chmod(folder, 0o755)
    err = live(folder, "--prove", "--user", "nobody")
    assert "proved: no other file, no new socket, no other program" in err, err


def test_raw_socket_alone_is_right_enough(folder):
    if not shutil.which("setpriv"):
        raise Skip("setpriv is not there")
    os.chmod(folder, 0o777)
    live(folder, "--prove", before=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all,+net_raw",
                                    "--ambient-caps=-all,+net_raw", "--bounding-set=-all,+net_raw"))


def test_sensor_that_does_not_see_its_own_canary_watches_nothing(folder):
    """The first one is lost on its way, the next one is seen: what lies between was not watched, and /metrics says so."""
    data = f"{folder}/d"

    def up():
        with open(f"{data}/spool/.metrics-live", encoding="ascii") as f:
            return re.search(r"^teiten_sensor_up\{sensor=\"live\"\} (\d)$", f.read(), re.M).group(1)
    with Wire() as wire:
        before = time.time()
        sensor = wire.sensor(data, before=("env", "TEITEN_FAULT=canary:1"))
        time.sleep(1)
        first = up()
        time.sleep(16)
        deaf = up()
        time.sleep(10)
        told, err = sensor.end()
        ran = time.time() - before
    assert (first, deaf) == ("1", "0") and told["refused"]["canary"] == 1, (first, deaf, told)
    assert err.count("not seen") == err.count("seen again") == 1, err
    assert 10 < batches(data)[2] < ran - 10, (batches(data)[2], ran)


def test_counters_tell_what_was_given_up(folder):
    data, path = f"{folder}/d", pcap(f"{folder}/t.pcap", range(1136073600, 1136073607))
    run("sensor", "--read", path, "--name", "live", "--watch", WATCHED, "--data", data)
    for name in os.listdir(f"{data}/spool"):
        if name.endswith(".batch"):
            os.utime(f"{data}/spool/{name}", (1e9, 1e9))
    with Wire() as wire:
        sensor = wire.sensor(data, "--spool-days", "1", "--batch", "1")
        time.sleep(4)
        sensor.end()
    with open(f"{data}/spool/.metrics-live", encoding="ascii") as f:
        text = f.read()
    assert 'teiten_sensor_given_up_batches_total{sensor="live"} 1\n' in text and 'teiten_sensor_given_up_packets_total{sensor="live"} 7\n' in text, text


def test_workers_share_the_packets(folder):
    live(folder, "--workers", "2")


def test_name_is_observed_once(folder):
    with Wire() as wire:
        sensor = wire.sensor(f"{folder}/d")
        second = subprocess.run(["ip", "netns", "exec", wire.ours, BINARY, "sensor", "--interface", "to", "--watch", WATCHED, "--name", "live", "--data",
                                 f"{folder}/d"], capture_output=True, text=True, timeout=20, check=False)
        sensor.end()
    assert second.returncode == 1 and "observes here already" in second.stderr, second


def test_hangup_reads_the_configuration_anew_and_ends_nothing(folder):
    """Without one there is nothing to read; one that is wrong by then changes nothing."""
    config, data = f"{folder}/conf", f"{folder}/d"

    def write(*more):
        with open(config, "w", encoding="ascii") as f:
            f.write("\n".join(("interface = to", f"watch = {WATCHED}", f"data = {data}", *more, "")))

    def names():
        return sorted(n for n in os.listdir(f"{data}/spool") if n.startswith(".metrics-"))
    with Wire() as wire:
        sensor = wire.sensor(data)
        sensor.process.send_signal(signal.SIGHUP)
        time.sleep(2.5)
        assert sensor.process.poll() is None
        told, err = sensor.end()
        assert "stay" in err and told["sensor"] == "live", (told, err)
        write("name = first")
        sensor = Sensor(["ip", "netns", "exec", wire.ours, BINARY, "sensor", "--config", config])
        for more in ("name = wrong", "batch = 99"), ("name = second",):
            write(*more)
            sensor.process.send_signal(signal.SIGHUP)
            time.sleep(3)
            assert sensor.process.poll() is None
        sensor.process.send_signal(signal.SIGTERM)
        out, err = sensor.process.communicate(timeout=30)
    assert sensor.process.returncode == 0 and "sensor first" in out and "sensor second" in out and "sensor wrong" not in out, (out, err)
    assert err.count("beginning anew") == 1 and "batch" in err and names() == [".metrics-first", ".metrics-live", ".metrics-second"], (err, names())


def test_workers_get_whole_sources(folder):
    """Forty knocks of one source at four addresses are one row, whoever counts them."""
    knock = ("import socket,struct\ns=socket.socket(socket.AF_INET,socket.SOCK_RAW,6);s.setsockopt(0,3,1)\n"
             "for i in range(40):\n"
             " d=bytes([198,18,0,1+i%4]); ip=struct.pack('>BBHHHBBH4s4s',0x45,0,40,i,0,60,6,0,bytes([198,19,0,1]),d)\n"
             " s.sendto(ip+struct.pack('>HHIIBBHHH',40000+i,23,i,0,0x50,2,1024,0,0),('.'.join(map(str,d)),0))")
    data = f"{folder}/d"
    with Wire() as wire:
        for i in range(2, 5):
            command("ip", "-n", wire.ours, "addr", "add", f"198.18.0.{i}/15", "dev", "to")
        sensor = wire.sensor(data, "--workers", "4")
        command("ip", "netns", "exec", wire.theirs, sys.executable, "-c", knock)
        time.sleep(.5)
        told, _ = sensor.end()
    rows = [r for r in batches(data)[1] if r["port"] == "23/tcp"]
    assert told["counted"] == 40 and [(r["packets"], r["dsts"]) for r in rows] in ([(40, 4)], [(40, "4")]), rows


def test_filter_takes_only_what_it_describes(folder):
    path, data = f"{folder}/t.pcap", f"{folder}/d"
    truth = telescope(path, "--packets", "20000")
    want = sum(p["packets"] for p in truth["ports"] if p["port"] == "tcp/23")
    with Wire() as wire:
        sensor = wire.sensor(data, "--filter", "tcp dst port 23", "--snaplen", "128")
        wire.send(path, .001)
        time.sleep(.5)
        told, _ = sensor.end()
    # tagged frames show their port to the filter only where the card has taken the tag off
    assert .9 * want <= told["counted"] <= want and told["came"] == told["counted"] + 1 and told["refused"] == {"canary": 1}, (told, want)
    for words in ("vlan and tcp", "mpls", ""):          # some change what all that follows them looks at
        with Wire() as wire:
            sensor = wire.sensor(f"{data}-{words}", "--filter", words)
            time.sleep(1.5)
            told, _ = sensor.end()
        assert told["refused"].get("canary") == 1, (words, told)
    with Wire() as wire:
        done = subprocess.run(["ip", "netns", "exec", wire.ours, BINARY, "sensor", "--interface", "to", "--watch", WATCHED, "--name", "x", "--data", data,
                               "--filter", "nonsense ("], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and "filter" in done.stderr, done


def test_packets_for_other_machines_are_not_ours(folder):
    path, data = f"{folder}/t.pcap", f"{folder}/d"
    truth = telescope(path, "--packets", "2000")
    with Wire() as wire:
        sensor = Sensor(["ip", "netns", "exec", wire.ours, BINARY, "sensor", "--interface", "to", "--watch", WATCHED, "--name", "live", "--data", data, "--json"])
        wire.send(path, .001)
        time.sleep(.5)
        told, _ = sensor.end()
    assert told["counted"] == 0 and told["refused"]["not-watched"] >= truth["counted"], told


def test_interface_that_is_made_anew_is_taken_up_again(folder):
    path, data = f"{folder}/t.pcap", f"{folder}/d"
    truth = telescope(path, "--packets", "2000")
    with Wire() as wire:
        sensor = Sensor(["ip", "netns", "exec", wire.ours, BINARY, "sensor", "--interface", "to", "--watch", WATCHED, "--name", "live", "--data", data, "--json"])
        command("ip", "-n", wire.ours, "link", "del", "dev", "to")
        time.sleep(1.5)
        command("ip", "link", "add", "to", "netns", wire.ours, "address", "02:00:00:00:00:01", "type", "veth", "peer", "name", "tt", "netns", wire.theirs)
        for name, device in ((wire.ours, "to"), (wire.theirs, "tt")):
            command("ip", "-n", name, "link", "set", device, "up")
        time.sleep(2.5)
        wire.send(path, .001)
        time.sleep(.5)
        told, err = sensor.end()
    assert told["counted"] == truth["counted"], (told, truth["counted"], err)


def test_interface_that_goes_down_and_up_is_survived(folder):
    path, data = f"{folder}/t.pcap", f"{folder}/d"
    truth = telescope(path, "--packets", "5000")
    with Wire() as wire:
        begun = time.time()
        sensor = wire.sensor(data)
        wire.send(path, .001)
        time.sleep(1.5)
        command("ip", "-n", wire.ours, "link", "set", "to", "down")
        time.sleep(3.5)
        command("ip", "-n", wire.ours, "link", "set", "to", "up")
        time.sleep(4)
        wire.send(path, .001)
        time.sleep(.5)
        told, err = sensor.end()
    assert told["counted"] == 2 * truth["counted"], (told, truth["counted"])
    assert "to is down" in err and "to is up" in err, err
    watched = batches(data)[2]
    # whole seconds with the interface, of which the machine's load may cost some; never those without it
    assert 1 <= watched <= 1.5 + 1.5 + 4 + 3, watched
    assert watched <= time.time() - begun - 3, (watched, time.time() - begun)


def test_answers_to_our_own_connections_are_not_counted(folder):
    data = f"{folder}/d"
    with Wire() as wire:
        sensor = wire.sensor(data)
        # we ask a port where nobody listens: the RST is an answer; they knock: that is not
        ask = "import socket,sys\nfor i in range(5):\n s=socket.socket();s.settimeout(2)\n try: s.connect((sys.argv[1],9))\n except OSError: pass\n s.close()"
        command("ip", "netns", "exec", wire.ours, sys.executable, "-c", ask, "198.19.0.1")
        command("ip", "netns", "exec", wire.theirs, sys.executable, "-c", ask, "198.18.0.1")
        time.sleep(.5)
        told, _ = sensor.end()
    assert told["refused"].get("answer") == 5 and told["counted"] == 5, told
    assert packets(batches(data)[1], "port") == {"9/tcp": 5}


def scanned(folder, *words, tool, proto="tcp"):
    """What the sensor counted of a real scanner's packets, and what tcpdump saw of them at the same interface."""
    for program in (words[0], "tcpdump"):
        if not shutil.which(program):
            raise Skip(f"{program} is not there")
    data, seen = f"{folder}/d", f"{folder}/seen.pcap"
    with Wire() as wire:
        mac = json.loads(command("ip", "-j", "-n", wire.ours, "link", "show", "dev", "to").stdout)[0]["address"]
        own = json.loads(command("ip", "-j", "-n", wire.theirs, "link", "show", "dev", "tt").stdout)[0]["address"]
        sensor = wire.sensor(data)
        dump = subprocess.Popen(["ip", "netns", "exec", wire.ours, "tcpdump", "-i", "to", "-n", "-U", "-w", seen, "-Q", "in", "ip dst net 198.18.0.0/16"],
                                stderr=subprocess.DEVNULL)
        time.sleep(1)
        words = [w.replace("MAC", mac).replace("OWN", own) for w in words]
        scanner = subprocess.run(["ip", "netns", "exec", wire.theirs, "timeout", "-k", "1", "25", *words], capture_output=True, text=True, timeout=40)
        time.sleep(1)
        told, _ = sensor.end()
        dump.terminate()
        dump.wait(10)
    lines = command("tcpdump", "-n", "-r", seen).stdout.splitlines()
    assert len(lines) > 100, (len(lines), scanner.stderr[-300:])
    # ICMP errors and RSTs answer what our own stack sent; all else must have been counted
    assert told["counted"] + told["refused"].get("answer", 0) == len(lines), (told, len(lines))
    rows = batches(data)[1]
    scans = [r for r in rows if r["kind"] == "scan" and proto in r["port"]]
    marked = sum(r["packets"] for r in scans if r["mark"] & tool)
    return marked, sum(r["packets"] for r in scans)


def test_genuine_zmap_is_marked(folder):
    marked, all_of_them = scanned(folder, "zmap", "-i", "tt", "-G", "MAC", "-S", "198.19.0.1", "-p", "80", "-r", "2000", "-b", "/dev/null", "-c", "1",
                                  "-o", "/dev/null", "198.18.0.0/22", tool=1)
    assert marked == all_of_them == 1024, (marked, all_of_them)


def test_genuine_zmap_that_pings_is_marked(folder):
    marked, all_of_them = scanned(folder, "zmap", "-M", "icmp_echoscan", "-i", "tt", "-G", "MAC", "-S", "198.19.0.1", "-r", "2000", "-b", "/dev/null", "-c", "1",
                                  "-o", "/dev/null", "198.18.0.0/22", tool=1, proto="icmp/8")
    assert marked == all_of_them == 1024, (marked, all_of_them)


def test_genuine_masscan_is_marked(folder):
    marked, all_of_them = scanned(folder, "masscan", "-i", "tt", "--router-mac", "MAC", "--adapter-mac", "OWN", "--adapter-ip", "198.19.0.1", "-p", "80",
                                  "--rate", "2000", "--wait", "1", "198.18.0.0/22", tool=2)
    assert marked == all_of_them >= 1024, (marked, all_of_them)


def test_genuine_nmap_is_marked(folder):
    marked, all_of_them = scanned(folder, "nmap", "-n", "-Pn", "-sS", "-e", "tt", "--max-retries", "0", "-p", "1-1000", "--send-ip", "198.18.0.1", tool=8)
    assert marked >= .9 * all_of_them and all_of_them >= 1000, (marked, all_of_them)


def test_quiet_client_gets_no_mark(folder):
    data = f"{folder}/d"
    knock = "import socket\nfor port in range(1,400):\n s=socket.socket();s.settimeout(.2)\n try: s.connect(('198.18.0.1',port))\n except OSError: pass\n s.close()"
    with Wire() as wire:
        sensor = wire.sensor(data)
        command("ip", "netns", "exec", wire.theirs, sys.executable, "-c", knock)
        time.sleep(.5)
        sensor.end()
    rows = batches(data)[1]
    assert sum(r["packets"] for r in rows) >= 399 and not any(r["mark"] for r in rows), [r for r in rows if r["mark"]]


run_tests("sensor", globals())
