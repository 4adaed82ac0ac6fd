"""A fleet of the test's own: three sensors and a centre, each with a namespace, a small disk and a clock of its own, and a world that
scans them. What they must answer for comes from tcpdump, what they did from the store's file, read with DuckDB's own library.

balance() says how the two are compared."""
import contextlib
import ctypes
import math
import mmap
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import time

from cli import BINARY, Namespaces, Skip, command
from test_link import certificate, enrol

SENSORS = ("a", "b", "c")
HOUR_S = 3600
BATCH_S = 5
CENTRE = "10.9.0.2"
CENTRE_MIB, SENSOR_MIB = 400, 2
TOLD_LINES = 30
SO_TIMESTAMP = 29       # of Linux; the module does not name it
FILTER = "src net 10.8.0.0/16 and dst net {} and (tcp or udp or icmp)"


def kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def whole_seconds(since, until):
    return set(range(math.ceil(since), math.floor(until)))


def touched_seconds(since, until):
    return set(range(math.floor(since), math.ceil(until)))


def last_cut(now):
    """What was seen from then on may not have been handed on yet: batches are cut when the clock can be divided by their seconds, take
    a moment to be written, and the second before belongs to the next one."""
    return (now - 1) // BATCH_S * BATCH_S - 1


def runs(pid):
    """Whether it still does anything: a zombie does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def parts_of(pid):
    """The processes that a command has started, by their command's name."""
    found = {}
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            children = f.read().split()
        for child in children:
            with open(f"/proc/{child}/cmdline", "rb") as c:
                words = c.read().split(b"\0")
            found[words[1].decode() if len(words) > 1 else "?"] = int(child)
    return found


class Clock:
    """What TEITEN_CLOCK_FILE names: a number of seconds that running processes see at once."""

    def __init__(self, path):
        with open(path, "wb") as f:
            f.write(bytes(8))
        with open(path, "r+b") as f:
            self.at = mmap.mmap(f.fileno(), 8)
        self.path = path

    def step(self, seconds):
        self.at[:] = struct.pack("=q", seconds)


class Disk:
    """A small one that can be filled."""

    def __init__(self, folder, mib):
        self.folder, self.ballast = folder, f"{folder}/ballast"
        os.mkdir(folder)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", folder], capture_output=True, check=False).returncode != 0:
            raise Skip("needs root and tmpfs")

    def fill(self):
        with open(self.ballast, "wb") as f, contextlib.suppress(OSError):
            while True:
                room = os.statvfs(self.folder)
                os.posix_fallocate(f.fileno(), f.seek(0, os.SEEK_END), max(room.f_bavail * room.f_frsize, 1))

    def clear(self):
        os.unlink(self.ballast)

    def close(self):
        subprocess.run(["umount", "-l", self.folder], capture_output=True, check=False)


class Machine:
    """One command in a namespace, started again whenever it is gone, as systemd would."""

    def __init__(self, folder, name, namespace, mib):
        self.name, self.namespace = name, namespace
        self.data, self.log = f"{folder}/{name}", f"{folder}/{name}.log"
        self.disk, self.clock = Disk(self.data, mib), Clock(f"{folder}/{name}.clock")
        self.words, self.process, self.first_start = (), None, None
        self.kills = 0
        self.dead, self.outages = set(), set()  # seconds: in which nobody can have watched; in which perhaps nobody has

    def popen(self, *words):
        with open(self.log, "ab") as log:
            return subprocess.Popen(["ip", "netns", "exec", self.namespace, BINARY, *words], stdout=log, stderr=log,
                                    env={**os.environ, "TEITEN_CLOCK_FILE": self.clock.path})

    def start(self):
        self.first_start = self.first_start or time.time()
        self.process = self.popen(*self.words)

    def revive(self):
        if self.process.poll() is not None:
            self.start()

    def kill_part(self, part):
        """A part of it, or with "" all of it; its parts then end by themselves. Returns whether it was there."""
        pid = parts_of(self.process.pid).get(part) if part else self.process.pid
        if pid is None:
            return False
        kill(pid)
        while runs(pid):
            time.sleep(.002)
        return True

    def kill_observer(self):
        """What it had not handed on goes with it."""
        at, now = self.said_bytes(), time.time()
        if self.kill_part("sensor"):
            self.kills += 1
            self.dead |= whole_seconds(time.time(), self.await_start(at))
            self.outages |= touched_seconds(last_cut(now), time.time() + 1)

    def kill_command(self):
        """Its parts end by themselves: the observer hands on what it has."""
        at, now = self.said_bytes(), time.time()
        self.kill_part("")
        self.await_start(at)
        self.outages |= touched_seconds(now - 2, time.time() + 1)

    def await_start(self, at):
        """Until the observer says in its log, from there on, that it is back; when it was certainly not there yet."""
        end = time.time() + 60
        while "observing to as sensor" not in self.said(at):
            before = time.time()
            assert before < end, self.said(at)
            self.revive()
            time.sleep(.02)
        return before

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def given_up(self):
        """Batches that went for want of room, at most: who is killed has not said how many went in its last minute."""
        told = sum(int(n) for n in re.findall(r"full: (\d+) of the oldest batches were given up", self.said()))
        return told + self.kills * 60 // BATCH_S if told else 0

    def said(self, since=0):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            f.seek(since)
            return f.read()

    def said_bytes(self):
        return os.path.getsize(self.log)

    def close(self):
        if self.process and self.process.poll() is None:
            self.end()
        self.disk.close()


class Truth:
    """What tcpdump sees come in for a sensor: packets by second."""

    def __init__(self, path, namespace, watched):
        self.path = path
        self.process = subprocess.Popen(["ip", "netns", "exec", namespace, "tcpdump", "-i", "to", "-Q", "in", "-n", "-s", "96", "-B", "32768", "-U",
                                         "-Z", "root", "-w", path, FILTER.format(watched)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        while line and "listening" not in line:
            line = self.process.stderr.readline()

    def end(self):
        self.process.send_signal(signal.SIGINT)
        said = self.process.communicate(timeout=20)[1]
        assert "\n0 packets dropped by kernel" in "\n" + said, said

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def seconds(self):
        with open(self.path, "rb") as f:
            bytes_ = f.read()
        found, at = {}, 24
        while at < len(bytes_):
            second, _, length = struct.unpack_from("=III", bytes_, at)
            found[second] = found.get(second, 0) + 1
            at += 16 + length
        return found


class Wire(Namespaces):
    """The world, the sensors' hosts, and between them and the centre lines that can be cut."""

    def __init__(self):
        super().__init__("tt-fw", "tt-fc", *(f"tt-fs{name}" for name in SENSORS))
        self.world, self.centre, *self.sensors = self.names

    @staticmethod
    def watched(i):
        return f"198.18.{i}.0/24"

    def join(self):
        for name in self.names:
            command("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.ip_forward=0")
        command("ip", "-n", self.centre, "addr", "add", f"{CENTRE}/32", "dev", "lo")
        for i, sensor in enumerate(self.sensors):
            self.wire((sensor, "to", f"10.8.{i}.1/24"), (self.world, f"tt{i}", f"10.8.{i}.2/24"))
            self.wire((sensor, "wan", f"10.9.{i + 1}.1/24"), (self.centre, f"lan{i}", f"10.9.{i + 1}.2/24"))
            command("ip", "-n", sensor, "route", "add", CENTRE, "via", f"10.9.{i + 1}.2")
            command("ip", "-n", self.world, "route", "add", self.watched(i), "via", f"10.8.{i}.1")

    def line(self, i, state):
        """A sensor's way to the centre."""
        command("ip", "-n", self.centre, "link", "set", f"lan{i}", state)

    def mac(self, namespace, device):
        return command("ip", "netns", "exec", namespace, "cat", f"/sys/class/net/{device}/address").stdout.strip()

    def scan(self, *words, limit=None):
        """limit: for one that is not waited for, which would choke on what it says."""
        return subprocess.Popen(["ip", "netns", "exec", self.world, "timeout", str(limit or 60), *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL if limit else subprocess.PIPE, text=True)

    def nmap(self, i):
        return self.scan("nmap", "-n", "-Pn", "-sS", "-sU", "--max-retries", "0", "--min-rate", "300", "-p", "T:1-60,U:50-70",
                         self.watched(i).replace("/24", "/29"))

    def zmap(self, i):
        return self.scan("zmap", "-i", f"tt{i}", "-G", self.mac(self.sensors[i], "to"), "-S", f"10.8.{i}.2", "-p", "443", "-r", "200", "-b", "/dev/null",
                         "-c", "1", self.watched(i))

    def masscan(self, i, limit):
        """Without end, so that there is something to lose in every second."""
        return self.scan("masscan", "-i", f"tt{i}", "--router-mac", self.mac(self.sensors[i], "to"), "--adapter-mac", self.mac(self.world, f"tt{i}"),
                         "--adapter-ip", f"10.8.{i}.2", "-p", "1-65535", "--rate", str(40 + 30 * i), self.watched(i), limit=limit)


class Store:
    """A store's file, when nobody holds it."""

    def __init__(self, path):
        here = os.path.dirname(BINARY)
        found = [f for f in (f"{here}/../deps/duckdb/libduckdb.so", f"{here}/../lib/teiten/libduckdb.so") if os.path.exists(f)]
        self.library = ctypes.CDLL(found[0] if found else "libduckdb.so")
        self.library.duckdb_value_varchar.restype = ctypes.c_char_p
        self.library.duckdb_row_count.restype = self.library.duckdb_column_count.restype = ctypes.c_uint64
        self.base, self.connection = ctypes.c_void_p(), ctypes.c_void_p()
        assert self.library.duckdb_open(path.encode(), ctypes.byref(self.base)) == 0
        assert self.library.duckdb_connect(self.base, ctypes.byref(self.connection)) == 0

    def close(self):
        self.library.duckdb_disconnect(ctypes.byref(self.connection))
        self.library.duckdb_close(ctypes.byref(self.base))

    def rows(self, sql):
        result = ctypes.create_string_buffer(64)
        assert self.library.duckdb_query(self.connection, sql.encode(), result) == 0, sql
        size = [self.library.duckdb_row_count(result), self.library.duckdb_column_count(result)]
        return [[self.library.duckdb_value_varchar(result, ctypes.c_uint64(c), ctypes.c_uint64(r)).decode() for c in range(size[1])] for r in range(size[0])]

    def by_sensor(self, sql):
        """Rows of a name, a key and a number, as a dictionary for each name."""
        found = {name: {} for name in SENSORS}
        for name, key, n in self.rows(sql):
            found[name][int(key)] = int(n)
        return found

    def packets(self):
        return self.by_sensor("SELECT s.name, t.minute, sum(t.packets)::BIGINT FROM tuple t JOIN sensor s ON s.number = t.sensor GROUP BY ALL")

    def watched(self):
        return self.by_sensor("SELECT name, minute, sum(seconds)::BIGINT FROM (SELECT s.name, w.seconds, unnest(range(from_minute::BIGINT, "
                              "until_minute::BIGINT)) AS minute FROM watched w JOIN sensor s ON s.number = w.sensor) GROUP BY ALL")

    def lost(self):
        return {name: n.get(0, 0) for name, n in
                self.by_sensor("SELECT s.name, 0, sum(l.lost)::BIGINT FROM ledger l JOIN sensor s ON s.number = l.sensor GROUP BY ALL").items()}


def folded(counts, width=1):
    """Sums by minute of the hour, of counts by minute (or by second, with width 60): so a clock that was wrong by an hour makes no
    difference."""
    found = {}
    for at, n in counts.items():
        minute = at // width % 60
        found[minute] = found.get(minute, 0) + n
    return found


def length(seconds):
    """How many of these seconds lie in which minute of the hour."""
    return folded(dict.fromkeys(seconds, 1), 60)


def busiest(seconds, minute, n):
    """Packets in the n busiest seconds of a minute of the hour."""
    return sum(sorted((count for at, count in seconds.items() if at // 60 % 60 == minute), reverse=True)[:n])


def balance(machine, seconds, stored, watched, lost):
    """One sensor's account as a dictionary of sums, and a list of what is wrong with it.

    The store says how many seconds of a minute were watched, not which. So, minute by minute:
    * No more is stored than tcpdump counted.
    * Of a minute of which W seconds were watched no more may be missing than came in its 60 - W busiest seconds. What is missing beyond
      that must be told as lost; in a minute that was watched whole this is every packet.
    * No second was watched in which the observer was certainly dead, or before its first start, or after its end.
    * Every other second was watched, but for those that something was done to the observer, its disk or its clock in (outages), and those
      of batches that it gave up for want of room and told as lost. So a batch that goes astray is missed, with its seconds.
    A packet that was given up with its batch is told as lost and lies in a second that nobody watched; it is counted as lost.

    Clocks are stepped by an hour, and times are folded to minutes of the hour; a run is shorter than that."""
    came, packets, looked = folded(seconds, 60), folded(stored), folded(watched)
    wall = touched_seconds(machine.first_start, machine.ended)
    possible, due = length(wall - machine.dead), length(wall - machine.outages)
    wrong, missed, unexplained = [], {}, {}
    assert len(wall) < HOUR_S
    for minute in set(came) | set(packets) | set(looked) | set(possible):
        each, w = came.get(minute, 0), looked.get(minute, 0)
        missing = each - packets.get(minute, 0)
        if missing < 0:
            wrong.append(f"minute {minute}: {-missing} packets more than came")
        if w > possible.get(minute, 0):
            wrong.append(f"minute {minute}: {w} seconds were watched, and the observer lived {possible.get(minute, 0)}")
        missed[minute] = max(missing - busiest(seconds, minute, max(60 - w, 0)), 0)
        unexplained[minute] = max(due.get(minute, 0) - w, 0)
    if sum(missed.values()) > lost:
        wrong.append(f"{lost} packets are told as lost, and by minute there are missing, though somebody watched, {missed}")
    if sum(unexplained.values()) > machine.given_up() * BATCH_S:
        wrong.append(f"seconds that nobody watched, though the observer was well, by minute, {unexplained}; batches given up: {machine.given_up()}")
    sums = {"tcpdump": sum(came.values()), "stored": sum(packets.values()), "lost": lost, "wall": len(wall), "watched": sum(looked.values())}
    sums |= {"unseen": sums["tcpdump"] - sums["stored"] - lost, "unwatched": sums["wall"] - sums["watched"]}
    if min(sums.values()) < 0:
        wrong.append(f"more than there was: {sums}")
    return sums, wrong


class Fleet:
    """All of it. `pause` is how time passes: who has gone meanwhile is started again."""

    def __init__(self, folder):
        for program in ("nmap", "masscan", "zmap", "tcpdump", "openssl"):
            if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin"):
                raise Skip(f"{program} is not there")
        self.folder, self.open = folder, contextlib.ExitStack()
        self.scanners, self.truths = [], []
        # while somebody asks for it, the kernel stamps a packet once, for tcpdump and the sensor alike
        self.stamps = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.stamps.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMP, 1)

    def __enter__(self):
        try:
            self.wire = self.open.enter_context(Wire())
            self.certificates = [certificate(self.folder, name, CENTRE) for name in ("first", "second", "strange")]
            self.make_machines()
        except Exception:
            self.open.close()
            raise
        return self

    def __exit__(self, failed, *_):
        for m in self.machines() if failed else ():
            print(f"# {m.name} said last:", *m.said().splitlines()[-TOLD_LINES:], sep="\n#   ")
        for process in self.scanners:
            process.kill()
            process.wait()
        self.open.close()
        self.stamps.close()

    def make_machines(self):
        self.centre = self.machine("centre", self.wire.centre, CENTRE_MIB)
        self.sensors = [self.machine(name, self.wire.sensors[i], SENSOR_MIB) for i, name in enumerate(SENSORS)]
        bundle = f"{self.folder}/bundle.pem"
        with open(bundle, "w", encoding="ascii") as f:
            for pem, _ in self.certificates[:2]:
                with open(pem, encoding="ascii") as one:
                    f.write(one.read())
        self.certify(0)
        for i, s in enumerate(self.sensors):
            enrol(s.name, s.data, self.centre.data)
            s.ship = ("--data", s.data, "--to", f"https://{CENTRE}:8443", "--ca", bundle)
            s.words = ("sensor", "--interface", "to", "--watch", self.wire.watched(i), "--name", s.name, "--batch", str(BATCH_S), *s.ship)

    def machine(self, name, namespace, mib):
        made = Machine(self.folder, name, namespace, mib)
        self.open.callback(made.close)
        return made

    def certify(self, which):
        """From its next start on."""
        pem, key = self.certificates[which]
        self.certified = which
        self.centre.words = ("center", "--data", self.centre.data, "--listen", "127.0.0.1:0", "--collect", f"{CENTRE}:8443", "--certificate", pem, "--key", key)

    def machines(self):
        return [self.centre, *self.sensors]

    def begin(self):
        for i, s in enumerate(self.sensors):
            self.truths.append(Truth(f"{self.folder}/{s.name}.pcap", self.wire.sensors[i], self.wire.watched(i)))
            self.open.callback(self.truths[-1].close)
        self.centre.start()
        self.pause(2)
        for s in self.sensors:
            s.start()
            s.await_start(0)
            s.outages |= touched_seconds(s.first_start, time.time() + 1)

    def scan(self, limit):
        """One tool after the other at every sensor, then the one that goes on."""
        for tool in (self.wire.nmap, self.wire.zmap):
            for i, process in enumerate([tool(i) for i in range(len(SENSORS))]):
                said = process.communicate(timeout=70)[1]
                if process.returncode != 0:
                    print(f"# {tool.__name__} failed ({process.returncode}) and is run once more: {said.strip()[-200:]!r}")
                    assert tool(i).wait(70) == 0, tool.__name__
        self.scanners = [self.wire.masscan(i, limit) for i in range(len(SENSORS))]
        self.pause(1)

    def pause(self, seconds):
        end = time.time() + seconds
        while time.time() < end:
            for m in self.machines():
                if m.process:
                    m.revive()
            time.sleep(.1)

    def end(self):
        """The world falls silent, sensors end, and an hour later, for that is when the centre believes a clock that was ahead, all that
        waits is delivered."""
        for process in self.scanners:
            assert process.poll() is None, "the scan ended too early"
            process.terminate()
            process.wait(10)
        self.pause(2)
        for s in self.sensors:
            now = time.time()
            s.end()
            s.ended, s.process = time.time(), None
            s.outages |= touched_seconds(now - 2, s.ended)
        for truth in self.truths:
            truth.end()
        for m in self.machines():
            m.clock.step(HOUR_S)
        self.deliver()
        self.centre.end()

    def deliver(self):
        for s in self.sensors:
            for _ in range(30):
                if s.popen("ship", "--once", *s.ship).wait(60) == 0:
                    break
                self.pause(1)
        for _ in range(300):
            if not any(self.waiting(m) for m in self.machines()):
                return
            self.pause(.2)
        raise AssertionError({m.name: self.waiting(m) for m in self.machines()})

    @staticmethod
    def waiting(machine):
        return [n for n in os.listdir(f"{machine.data}/spool") if n.endswith((".batch", ".lost"))]
