#!/usr/bin/env python3
"""A centre and sensors on wires of the test's own, as root, in network namespaces; else skipped, saying so.

Three sensors are scanned by genuine scanners while anything that can happen to them happens: every packet that tcpdump saw is in the
store once, or told as lost, or came in seconds that the store says nobody watched. FLEET_ROUNDS says how many things happen (each once
unless it is said), FLEET_SEED in which order.

Usage: test_fleet.py BINARY. Prints one line a test."""
import json
import os
import random
import signal
import subprocess
import sys
import time

from cli import BINARY, Namespaces, command, run_tests
from fleet import BATCH_S, HOUR_S, SENSORS, Fleet, Store, balance, kill, last_cut, parts_of, touched_seconds
from test_link import certificate, enrol, good

SEED = int(os.environ.get("FLEET_SEED", "4"))
UNSEEN_MAX = .2         # of all packets and of all seconds: not in the store; 60 rounds come to .04 and .06, 15 rounds to .06 and .11
SEND = ("import socket,struct,sys,time\n"
        "s=socket.socket(socket.AF_INET,socket.SOCK_RAW,6);s.setsockopt(0,3,1);n=0;end=time.time()+float(sys.argv[1])\n"
        "while time.time()<end:\n"
        " for i in range(20):\n"
        "  ip=struct.pack('>BBHHHBBH4s4s',0x45,0,40,n&65535,0,60,6,0,bytes([198,19,n>>8&255,n&255]),bytes([198,18,0,1]))\n"
        "  s.sendto(ip+struct.pack('>HHIIBBHHH',40000,2323,n,0,0x50,2,1024,0,0),('198.18.0.1',0));n+=1\n"
        " time.sleep(.05)\n"
        "print(n)")


class Line(Namespaces):
    """The world, a sensor's host and a centre, one behind the other."""

    def __init__(self):
        super().__init__("tt-lw", "tt-ls", "tt-lc")

    def join(self):
        world, sensor, centre = self.names
        for name in self.names:
            command("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0")
        self.wire((sensor, "to", "198.18.0.1/15"), (world, "tt", "198.19.0.1/15"))
        self.wire((sensor, "wan", "10.9.0.1/24"), (centre, "lan", "10.9.0.2/24"))

    def run(self, where, *words):
        return subprocess.Popen(["ip", "netns", "exec", self.names["wsc".index(where)], *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def killing(part):
    """A part of the centre, killed; with "" all of it."""
    def kill_it(fleet, _dice):
        fleet.centre.kill_part(part)
    kill_it.__name__ = f"kill_{part or 'centre'}"
    return kill_it


def kill_observer(fleet, dice):
    dice.choice(fleet.sensors).kill_observer()


def kill_ship(fleet, dice):
    dice.choice(fleet.sensors).kill_part("ship")


def kill_sensor(fleet, dice):
    dice.choice(fleet.sensors).kill_command()


def cut_line(fleet, dice):
    cut(fleet, [dice.randrange(len(SENSORS))])


def cut_all_lines(fleet, _dice):
    cut(fleet, range(len(SENSORS)))


def cut(fleet, lines):
    for i in lines:
        fleet.wire.line(i, "down")
    fleet.pause(3)
    for i in lines:
        fleet.wire.line(i, "up")


def fill_sensor(fleet, dice):
    """For longer than a batch gathers, so that one cannot be written."""
    sensor, now = dice.choice(fleet.sensors), time.time()
    filled(fleet, sensor, BATCH_S + 2)
    sensor.outages |= touched_seconds(last_cut(now), time.time())


def fill_centre(fleet, _dice):
    filled(fleet, fleet.centre, 5)
    ask_again(fleet)


def ask_again(fleet):
    """Those that were told to come again in a minute, or have waited long, begin anew."""
    for s in fleet.sensors:
        s.kill_part("ship")


def filled(fleet, machine, seconds):
    machine.disk.fill()
    fleet.pause(seconds)
    machine.disk.clear()


def step_sensor(fleet, dice):
    """A moment at each step is not watched whole."""
    sensor, now = dice.choice(fleet.sensors), time.time()
    stepped(fleet, sensor, dice.choice([-HOUR_S, HOUR_S]), BATCH_S + 2)
    for at in (now, time.time()):
        sensor.outages |= touched_seconds(at - 2, at + 2)


def step_centre(fleet, dice):
    stepped(fleet, fleet.centre, dice.choice([-HOUR_S, HOUR_S]), 4)


def stepped(fleet, machine, by, seconds):
    machine.clock.step(by)
    fleet.pause(seconds)
    machine.clock.step(0)


def renew_certificate(fleet, _dice):
    """Another one of those that the sensors trust."""
    restart(fleet, 1 - fleet.certified)


def show_strange_certificate(fleet, _dice):
    """Refused in plain words, until the right one is back."""
    right, before = fleet.certified, [s.said_bytes() for s in fleet.sensors]
    restart(fleet, 2)
    ask_again(fleet)
    for _ in range(60):
        fleet.pause(.5)
        said = [s.said(at) for s, at in zip(fleet.sensors, before)]
        if any("certificate" in text and "--ca FILE" in text for text in said):
            break
    else:
        raise AssertionError(f"nobody refused the strange certificate: {said}")
    restart(fleet, right)


def restart(fleet, certificate_number):
    fleet.certify(certificate_number)
    fleet.centre.end()
    fleet.centre.start()


HAPPENINGS = [kill_observer, kill_ship, kill_sensor, killing("keep"), killing("collect"), killing("desk"), killing(""), cut_line, cut_all_lines, fill_sensor,
              fill_centre, step_sensor, step_centre, renew_certificate, show_strange_certificate]
ROUNDS = int(os.environ.get("FLEET_ROUNDS", len(HAPPENINGS)))


def deck(dice, rounds):
    """Shuffled, and shuffled anew when it is used up: in as many rounds as there are happenings each occurs."""
    dealt = []
    while len(dealt) < rounds:
        dealt += dice.sample(HAPPENINGS, len(HAPPENINGS))
    return dealt[:rounds]


def told(name, sums):
    """Prints an account; returns its shares of packets and of seconds that are not in the store."""
    shares = [(sums["lost"] + sums["unseen"]) / sums["tcpdump"], sums["unwatched"] / sums["wall"]]
    print(f"# {name}: {sums['tcpdump']:,} packets by tcpdump = {sums['stored']:,} stored + {sums['lost']:,} told as lost + "
          f"{sums['unseen']:,} in unwatched seconds ({shares[0]:.1%} not stored); "
          f"{sums['wall']:,} s = {sums['watched']:,} watched + {sums['unwatched']:,} unwatched ({shares[1]:.1%})")
    return max(shares)


def agrees_with_answers(centre, stored, watched):
    """What the commands answer is what the file holds, and the roll-ups are what its rows say."""
    span = ("--from", day(-1), "--until", day(2))
    rows = json.loads(good("top", "--data", centre, "--json", "--top", "all", "--each", "sensor", "--kind", "all", *span))["rows"]
    listed = json.loads(good("sensor", "list", "--data", centre, "--json"))["sensors"]
    assert {r["label"]: r["packets"] for r in rows} == {name: sum(stored[name].values()) for name in SENSORS}, rows
    assert {s["name"]: s["watched_seconds"] for s in listed} == {name: sum(watched[name].values()) for name in SENSORS}, listed
    assert good("check", "--data", centre).count("agrees with the rows") >= 10


def day(later):
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + later * 86400))


def settle(fleet):
    """All sums are printed before any is judged."""
    store = Store(f"{fleet.centre.data}/store.duckdb")
    try:
        stored, watched, lost = store.packets(), store.watched(), store.lost()
    finally:
        store.close()
    wrong, all_of_them = [], {}
    for s, truth in zip(fleet.sensors, fleet.truths):
        sums, mistakes = balance(s, truth.seconds(), stored[s.name], watched[s.name], lost[s.name])
        told(s.name, sums)
        wrong += [f"{s.name}: {mistake}" for mistake in mistakes]
        all_of_them = {key: all_of_them.get(key, 0) + n for key, n in sums.items()}
    share = told("together", all_of_them)
    assert not wrong and share <= UNSEEN_MAX, (share, wrong)
    agrees_with_answers(fleet.centre.data, stored, watched)


def test_every_packet_is_accounted_for_whatever_happens(folder):
    dice = random.Random(SEED)
    happened = deck(dice, ROUNDS)
    with Fleet(folder) as fleet:
        fleet.begin()
        fleet.scan(limit=60 + 40 * ROUNDS)
        began = time.time()
        for happening in happened:
            happening(fleet, dice)
            fleet.pause(dice.uniform(.5, 2.5))
        print(f"# {ROUNDS} rounds in {time.time() - began:.0f} s, seed {SEED}: " +
              ", ".join(f"{h.__name__} {happened.count(h)}" for h in HAPPENINGS if h in happened))
        fleet.end()
        settle(fleet)
        if step_sensor in happened:
            assert any("the clock was set by" in s.said() for s in fleet.sensors)


def test_parts_follow_whoever_started_them(folder):
    """Also those that have become another user: killed, a command leaves nobody behind."""
    pem, key = certificate(folder, subject="10.9.0.2")
    sensor, centre = f"{folder}/s", f"{folder}/c"
    enrol("f", sensor, centre)
    os.chmod(folder, 0o755)
    with Line() as wire:
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
    with Line() as wire:
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
