#!/usr/bin/env python3
"""A centre and sensors on a wire of the test's own: every packet sent is in the store once, though processes are killed and the
line is cut. As root, in network namespaces; else skipped, saying so.

Usage: test_fleet.py BINARY. Prints one line a test."""
import json
import os
import random
import signal
import subprocess
import sys
import time

from cli import BINARY, Namespaces, command, run_tests
from test_link import certificate, enrol, good, waiting

ROUNDS = int(os.environ.get("FLEET_ROUNDS", "12"))
SEND = ("import socket,struct,sys,time\n"
        "s=socket.socket(socket.AF_INET,socket.SOCK_RAW,6);s.setsockopt(0,3,1);n=0;end=time.time()+float(sys.argv[1])\n"
        "while time.time()<end:\n"
        " for i in range(20):\n"
        "  ip=struct.pack('>BBHHHBBH4s4s',0x45,0,40,n&65535,0,60,6,0,bytes([198,19,n>>8&255,n&255]),bytes([198,18,0,1]))\n"
        "  s.sendto(ip+struct.pack('>HHIIBBHHH',40000,2323,n,0,0x50,2,1024,0,0),('198.18.0.1',0));n+=1\n"
        " time.sleep(.05)\n"
        "print(n)")


class Wire(Namespaces):
    """The world, a sensor's host, and between that and the centre a line that can be cut."""

    def __init__(self):
        super().__init__("tt-fw", "tt-fs", "tt-fc")

    def join(self):
        world, sensor, centre = self.names
        for name in self.names:
            command("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0")
        self.wire((sensor, "to", "198.18.0.1/15"), (world, "tt", "198.19.0.1/15"))
        self.wire((sensor, "wan", "10.9.0.1/24"), (centre, "lan", "10.9.0.2/24"))

    def run(self, where, *words):
        return subprocess.Popen(["ip", "netns", "exec", self.names["wsc".index(where)], *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def line(self, state):
        command("ip", "-n", self.names[1], "link", "set", "wan", state)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def parts_of(pid):
    """The processes that a command has started, by their command's name."""
    found = {}
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        for child in f.read().split():
            with open(f"/proc/{child}/cmdline", "rb") as c:
                words = c.read().split(b"\0")
            found[words[1].decode() if len(words) > 1 else "?"] = int(child)
    return found


def stored(centre):
    """Packets, losses and watched seconds of all batches, as the keep knows them."""
    rows = json.loads(good("top", "--data", centre, "--json", "--top", "all", "--last", "1d"))["rows"]
    return sum(r["packets"] for r in rows if r["label"] == "2323/tcp")


def test_every_packet_is_stored_once_whoever_is_killed(folder):
    """The one that observes is left alone, since what it has not written yet goes with it; everybody else is fair game."""
    pem, key = certificate(folder, subject="10.9.0.2")
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("f", sensor, centre)
    dice = random.Random(4)
    with Wire() as wire:
        def start_centre():
            return wire.run("c", BINARY, "center", "--data", centre, "--listen", "127.0.0.1:0", "--collect", "10.9.0.2:8443", "--certificate", pem, "--key", key)
        center = start_centre()
        time.sleep(2)
        ships = wire.run("s", BINARY, "sensor", "--interface", "to", "--watch", "198.18.0.0/16", "--name", "f", "--data", sensor, "--to", "https://10.9.0.2:8443",
                         "--ca", pem)
        time.sleep(1.5)
        world = wire.run("w", sys.executable, "-c", SEND, str(ROUNDS * 6))
        for _ in range(ROUNDS):
            what = dice.choice(["keep", "collect", "desk", "ship", "center", "line"])
            if what == "line":
                wire.line("down")
                time.sleep(3)
                wire.line("up")
            elif what == "center":
                center.kill()
                center.communicate()
                center = start_centre()
            else:
                kill(parts_of((ships if what == "ship" else center).pid).get(what, 0) or center.pid)
                if center.poll() is not None:
                    center.communicate()
                    center = start_centre()
            time.sleep(dice.uniform(1, 5))
            if center.poll() is not None:               # the keep of the one before was still there: as systemd would
                center.communicate()
                center = start_centre()
        sent = int(world.communicate(timeout=120)[0])
        ships_parts = parts_of(ships.pid)
        os.kill(ships_parts["sensor"], signal.SIGINT)           # writes its open minutes, and is started again
        for _ in range(600):
            time.sleep(.2)
            if not waiting(sensor) and not waiting(centre):
                break
        time.sleep(1)
        got = stored(centre)
        for process in (ships, center):
            process.send_signal(signal.SIGTERM)
        _, said = ships.communicate(timeout=60)
        center.communicate(timeout=60)
    assert not waiting(sensor) and not waiting(centre), (waiting(sensor), waiting(centre))
    assert got == sent, (got, sent, said[-800:])


def test_parts_follow_whoever_started_them(folder):
    """Also those that have become another user: killed, a command leaves nobody behind."""
    pem, key = certificate(folder, subject="10.9.0.2")
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("f", sensor, centre)
    os.chmod(folder, 0o755)
    with Wire() as wire:
        started = [wire.run("c", BINARY, "center", "--data", centre, "--listen", "127.0.0.1:0", "--collect", "10.9.0.2:8443", "--certificate", pem, "--key", key,
                            "--collect-user", "nobody"),
                   wire.run("s", BINARY, "sensor", "--interface", "to", "--watch", "198.18.0.0/16", "--name", "f", "--data", sensor, "--to", "https://10.9.0.2:8443",
                            "--ca", pem, "--user", "nobody")]
        time.sleep(3)
        parts = [pid for p in started for pid in parts_of(p.pid).values()]
        assert len(parts) == 5, [parts_of(p.pid) for p in started]
        for p in started:
            p.kill()
            p.wait(10)
        for _ in range(100):
            left = [pid for pid in parts if os.path.exists(f"/proc/{pid}")]
            if not left:
                break
            time.sleep(.1)
        for pid in left:
            kill(pid)
        for p in started:
            p.communicate(timeout=10)
    assert not left, left


def test_knock_is_in_the_answers_soon(folder):
    """From the packet to the inside JSON, with batches of ten seconds: fifteen at most."""
    pem, key = certificate(folder, subject="10.9.0.2")
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("f", sensor, centre)
    knock = SEND.replace("time.time()+float(sys.argv[1])", "0").replace("print(n)", "p=int(sys.argv[1])\nip=struct.pack('>BBHHHBBH4s4s',0x45,0,40,1,0,60,6,0,"
                         "bytes([198,19,0,9]),bytes([198,18,0,1]))\ns.sendto(ip+struct.pack('>HHIIBBHHH',40000,p,1,0,0x50,2,1024,0,0),('198.18.0.1',0))")
    took = []
    with Wire() as wire:
        center = wire.run("c", BINARY, "center", "--data", centre, "--listen", "127.0.0.1:0", "--collect", "10.9.0.2:8443", "--certificate", pem, "--key", key)
        time.sleep(2)
        ships = wire.run("s", BINARY, "sensor", "--interface", "to", "--watch", "198.18.0.0/16", "--name", "f", "--data", sensor, "--to", "https://10.9.0.2:8443",
                         "--ca", pem, "--batch", "10")
        time.sleep(3)
        for port in range(7001, 7006):
            sent = time.time()
            assert wire.run("w", sys.executable, "-c", knock, str(port)).wait(10) == 0
            while time.time() - sent < 30:
                done = subprocess.run([BINARY, "top", "--data", centre, "--json", "--top", "all", "--last", "1d"], capture_output=True, text=True, timeout=20, check=False)
                if f'"{port}/tcp"' in done.stdout:
                    break
                time.sleep(.2)
            took.append(time.time() - sent)
            time.sleep(1.3)
        for process in (ships, center):
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
    print(f"# median {sorted(took)[2]:.1f} s, longest {max(took):.1f} s")
    assert max(took) <= 15, took


if __name__ == "__main__":
    run_tests("fleet", globals())
