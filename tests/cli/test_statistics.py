#!/usr/bin/env python3
"""The robust value and the surge score beside what independent implementations of their definitions computed.

Usage: test_statistics.py BINARY [NAME PART]. Needs ${TEITEN_SHARED:-../shared}/oracle; skips, saying so, without it."""
import datetime
import gzip
import json
import os
import statistics
import subprocess
import time

from cli import BINARY, Skip, run_tests

ORACLE = os.path.join(os.path.dirname(BINARY), "oracle")
SHARED = os.path.abspath(os.path.join(os.environ.get("TEITEN_SHARED", "../shared"), "oracle"))


def answers(name):
    path = f"{SHARED}/{name}.json"
    if not os.path.exists(path):
        raise Skip("the answers of others are not there")
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def ours(what, numbers):
    done = subprocess.run([ORACLE, what], input=" ".join(map(str, numbers)), capture_output=True, text=True, timeout=120, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def near(got, want, relative, absolute=0.0):
    if got is None or want is None:
        return got is want
    return abs(got - want) <= relative * abs(want) + absolute


def all_near(got, want, relative, absolute=0.0):
    return len(got) == len(want) and all(near(g, w, relative, absolute) for g, w in zip(got, want))


def test_robust_location(_):
    for n, panel in enumerate(answers("robust-location")["panels"]):
        phi = min(panel["phi"]) * .9
        numbers = [len(panel["y"]), phi, panel["level"] or 0]
        for y, e, p in zip(panel["y"], panel["exposure"], panel["phi"]):
            numbers += [y, e, p]
        day = ours("location", numbers)[0]
        assert near(day["theta"], panel["theta"], 1e-6), (n, day["theta"], panel["theta"])
        assert day["accepted"] == panel["accepted"], (n, day["accepted"], panel["accepted"])
        assert all_near(day["residual"], panel["residual"], 1e-6, 1e-6), (n, day["residual"], panel["residual"])


def same_finding(got, want):
    return got.keys() == want.keys() and all(near(got[k], want[k], 1e-6) if isinstance(want[k], float) else got[k] == want[k] for k in want)


def in_order(findings):
    return sorted(findings, key=lambda f: (f["kind"], f.get("sensor", 0)))


def test_robust_sequence(_):
    seen = set()
    for s in answers("robust-sequence")["sequences"]:
        numbers = [s["sensors"], len(s["days"])]
        for day in s["days"]:
            for i in range(s["sensors"]):
                calibrating = s["joined"][i] <= day["day"] < s["joined"][i] + 14
                numbers += [day["enrolled"][i], int(calibrating), s["addresses"][i], day["coverage"][i], s["group"][i] + 1 if s["group"] else 0, day["y"][i]]
        for got, want in zip(ours("days", numbers), s["days"], strict=True):
            told = (s["name"], want["day"])
            for key in ("theta", "se", "phi", "L", "plain_B", "headline_B", "M_plain", "M_headline", "plain_mean"):
                assert near(got[key], want[key], 1e-6), (told, key, got[key], want[key])
            assert all_near(got["b"], want["b"], 1e-6), (told, "b")
            assert all_near(got["residual"], want["residual"], 1e-6, 1e-6), (told, "residual", got["residual"], want["residual"])
            assert got["accepted"] == want["accepted"], (told, "accepted", got["accepted"], want["accepted"])
            assert sorted(got["flags"]) == sorted(want["flags"]), (told, got["flags"], want["flags"])
            g, w = in_order(got["findings"]), in_order(want["findings"])
            assert len(g) == len(w) and all(map(same_finding, g, w)), (told, g, w)
            seen.update(f["kind"] for f in w)
            seen.update(want["flags"])
    assert len(seen) == 9, seen     # five kinds of findings, four flags: or the comparison says less than it seems


SURGE_KEYS = ("alarm", "onset", "base", "k", "w", "peak", "last_active", "closed", "end", "level_shift")


def same_surges(got, want, told):
    assert len(got) == len(want), (told, got, want)
    for g, w in zip(got, want):
        assert all(near(g[k], w[k], 1e-5) for k in SURGE_KEYS), (told, g, w)


def pairs(flat):
    return dict(zip(flat[::2], flat[1::2]))


def test_surge_sequence(_):
    oracle = answers("surge-sequence")
    up = [[any(a <= h < b for a, b in spans) for h in range(oracle["hours"])] for spans in oracle["up"]]
    for port in oracle["ports"]:
        numbers = [oracle["sensors"], oracle["hours"], oracle["alarm_threshold"]]
        sources, new = [pairs(flat) for flat in port["sources"]], pairs(port["N"])
        for h in range(oracle["hours"]):
            numbers += [int(u[h]) for u in up]
            seen = [(i, s[h]) for i, s in enumerate(sources) if h in s]
            numbers += [len(seen), *(v for pair in seen for v in pair), new.get(h, 0)]
        hours = ours("hours", numbers)
        assert [h for h, got in enumerate(hours) if got["masked"]] == oracle["masked"]
        for h, got in enumerate(hours):
            told = (port["dport"], h)
            for key in ("V", "mu_N", "mu_V", "NV", "PC", "R"):
                assert near(got[key], port[key][h], 1e-5, 1e-7), (told, key, got[key], port[key][h])
            day = h // 24
            assert near(got["level_N"], port["level_N"][day], 1e-5) and near(got["level_V"], port["level_V"][day], 1e-5), (told, got["level_N"], port["level_N"][day])
            assert all_near(got["b"], [b[day] for b in port["b"]], 1e-5), (told, got["b"], [b[day] for b in port["b"]])
            at = h - oracle["detail_from"]
            if at < 0:
                continue
            for key in ("f_N", "f_V", "LLR_N", "LLR_V", "PC_w"):
                want = [window[at] for window in port[key]]
                assert all_near(got[key], want, 1e-5, 1e-6), (told, key, got[key], want)
            want = [z[at] for window in port["z"] for z in window]
            assert all_near(got["z"], want, 1e-5, 1e-5), (told, "z", got["z"], want)
        same_surges(hours[-1]["tracker"], port["tracker"], port["dport"])


def test_tracker_alone(_):
    for one in answers("surge-sequence")["tracker_only"]:
        masked = set(one["masked"])
        numbers = [len(one["V"]), 9.3, one["mu_V"]]
        for h, (v, r) in enumerate(zip(one["V"], one["R"])):
            numbers += [v, r, int(h in masked)]
        same_surges(ours("track", numbers)[0]["tracker"], one["tracker"], one["name"])


SCENARIO = """zone Asia/Tokyo
span 2020-01-01 2020-03-16
level 1
mix world CN=50 US=50
""" + "".join(f"sensor s{i} addresses=1 region=JP group=g{i} factor=1\n" for i in range(6)) + """
port 445/tcp level=10 packets=2 returning=0.3 sweeps=0.3 mix=world
port 23/tcp level=4 packets=2 returning=0.3 sweeps=0.3 mix=world
odd s3 445/tcp factor=15 from=2020-03-01
rise 10000/tcp shape=step from=2020-02-25 until=2020-03-05 level=8 packets=2 returning=0.15 mix=world
"""


def teiten(*words):
    done = subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, (words, done.returncode, done.stderr)
    return done.stdout


def minutes_off(told, day, hour):
    at = datetime.datetime.fromisoformat(told)
    return abs((at - datetime.datetime.fromisoformat(f"{day}T{hour:02d}:00:00+09:00")).total_seconds()) / 60


def test_surge_is_found_and_dated_with_and_without_a_keep(folder):
    with open(f"{folder}/scenario", "w", encoding="ascii") as f:
        f.write(SCENARIO)
    teiten("simulate", "--data", f"{folder}/d", "--seed", "5", f"{folder}/scenario")
    alone = json.loads(teiten("surge", "list", "--data", f"{folder}/d", "--json"))["surges"]
    assert [(s["label"], s["level"], s["class"], s["state"]) for s in alone] == [("10000/tcp", "alarm", "broad", "closed")], alone
    assert minutes_off(alone[0]["onset"], "2020-02-25", 0) <= 12 * 60 and minutes_off(alone[0]["end"], "2020-03-05", 0) <= 24 * 60, alone
    assert alone[0]["sensors"] == 6 and alone[0]["new_sources"] > 200 and alone[0]["value"] > 5 * alone[0]["expected"] and alone[0]["revision"] >= 2, alone
    shown = json.loads(teiten("surge", "show", alone[0]["id"], "--data", f"{folder}/d", "--json"))
    said = shown.pop("revisions")
    assert shown == alone[0] and shown["sources"] > 200 and shown["judged_by"] == "machine, unconfirmed" and shown["verdict"] == "unknown", (shown, alone)
    assert [s["reason"] for s in said] == ["found", "upgraded", "closed"] and [s["revision"] for s in said] == [1, 2, 3], said
    assert said[0]["level"] == "watch" and said[0]["known"] < said[1]["known"] == shown["known"] and said[2]["end"] == shown["end"], said
    hours = (datetime.datetime.fromisoformat(shown["known"]) - datetime.datetime.fromisoformat(shown["onset"])).total_seconds() / 3600
    assert shown["known_after_hours"] == hours, shown
    missing = subprocess.run([BINARY, "surge", "show", "1-tcp-20200101T00", "--data", f"{folder}/d"], capture_output=True, text=True, timeout=60, check=False)
    assert missing.returncode == 2 and "no surge named" in missing.stderr, missing
    keep = subprocess.Popen([BINARY, "keep", "--data", f"{folder}/d"], stderr=subprocess.DEVNULL)
    try:
        found = []
        for _ in range(200):
            if os.path.exists(f"{folder}/d/keep.sock"):
                found = json.loads(teiten("surge", "list", "--data", f"{folder}/d", "--json"))["surges"]
            if found == alone:
                break
            time.sleep(.1)
        assert found == alone, (found, alone)
    finally:
        keep.terminate()
        keep.wait(30)


def refused(*words):
    done = subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in (1, 2), (words, done)
    return done.returncode, done.stderr


class Keep:
    """A keep that has looked for surges in everything there is."""

    def __init__(self, data):
        self.data = data

    def __enter__(self):
        self.process = subprocess.Popen([BINARY, "keep", "--data", self.data], stderr=subprocess.DEVNULL)
        for _ in range(300):
            if os.path.exists(f"{self.data}/keep.sock") and json.loads(teiten("surge", "list", "--data", self.data, "--json"))["looked_until"]:
                return self
            time.sleep(.1)
        raise AssertionError("the keep does not look for surges")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)


def surge(data, surge_id):
    return json.loads(teiten("surge", "show", surge_id, "--data", data, "--json"))


def test_surges_outlast_a_restart_with_their_verdicts(folder):
    data = f"{folder}/d"
    with open(f"{folder}/scenario", "w", encoding="ascii") as f:
        f.write(SCENARIO)
    teiten("simulate", "--data", data, "--seed", "5", f"{folder}/scenario")
    name = json.loads(teiten("surge", "list", "--data", data, "--json"))["surges"][0]["id"]
    first = surge(data, name)
    with Keep(data):
        assert surge(data, name) == first
        teiten("surge", "verdict", name, "real", "--note", "ワーム \"x\"", "--by", "佐藤", "--data", data)
        judged = surge(data, name)
    assert (judged["verdict"], judged["judged_by"], judged["note"], judged["revision"]) == ("real", "佐藤", "ワーム \"x\"", 4), judged
    assert judged["revisions"][:3] == first["revisions"] and judged["revisions"][3]["reason"] == "verdict" and judged["revisions"][3]["by"] == "佐藤", judged
    with Keep(data):
        assert surge(data, name) == judged
        assert "real: 佐藤" in teiten("surge", "list", "--data", data)
    teiten("surge", "verdict", name, "unknown", "--note", "too soon", "--data", data)
    assert surge(data, name)["judged_by"] == "machine, unconfirmed" and surge(data, name)["revision"] == 5
    with Keep(data):
        assert surge(data, name)["revision"] == 5
        assert "too long" in refused("surge", "verdict", name, "real", "--note", "x" * 512, "--data", data)[1]
        assert "no surge named" in refused("surge", "verdict", "1-tcp-20200101T00", "real", "--note", "x", "--data", data)[1]
    for words, told in ((("real", "--note", "a\nb"), "cannot be shown"), (("maybe", "--note", "x"), "not a verdict"), (("real",), "without its reason"),
                        (("real", "--note", "x", "--by", "machine"), "gives no verdicts")):
        status, said = refused("surge", "verdict", name, *words, "--data", data)
        assert status == 2 and told in said, (words, said)
    assert surge(data, name)["revision"] == 5


LATE_RISE = "rise 10000/tcp shape=step from=2020-01-02 until=2020-03-15 level=30 packets=2 returning=0.15 mix=world\n"


def test_late_data_withdraw_a_surge_that_is_kept(folder):
    data = f"{folder}/d"
    with open(f"{folder}/scenario", "w", encoding="ascii") as f:
        f.write(SCENARIO)
    with open(f"{folder}/late", "w", encoding="ascii") as f:
        f.write("".join(line + "\n" for line in SCENARIO.splitlines() if not line.startswith(("port", "odd", "rise"))) + LATE_RISE)
    teiten("simulate", "--data", data, "--seed", "5", f"{folder}/scenario")
    name = json.loads(teiten("surge", "list", "--data", data, "--json"))["surges"][0]["id"]
    teiten("surge", "verdict", name, "research", "--note", "known by name", "--data", data)
    teiten("simulate", "--data", data, "--seed", "7", f"{folder}/late")
    for _ in range(2):
        assert all(s["id"] != name for s in json.loads(teiten("surge", "list", "--data", data, "--json"))["surges"])
        kept = [s for s in json.loads(teiten("surge", "list", "--all", "--data", data, "--json"))["surges"] if s["id"] == name]
        assert [(s["state"], s["verdict"], s["revision"]) for s in kept] == [("withdrawn", "research", 5)], kept
    status, said = refused("surge", "verdict", name, "real", "--note", "x", "--data", data)
    assert status == 2 and "was withdrawn" in said, said
    assert surge(data, name)["revisions"][-1]["reason"] == "withdrawn" and surge(data, name)["revisions"][-1]["by"] == "machine"


MARX = os.path.abspath(os.path.join(os.environ.get("TEITEN_SHARED", "../shared"), "data", "aws-marx-2013", "marx-dev-20130303-20130531.csv.gz"))
MARX_MAP = "time=datetime,sensor=host,src=src,proto=proto,dport=dpt,sport=spt,type=type,packets=n"


def marx(folder, name, more=()):
    """Nine sensors of 2013, and rows more."""
    if not os.path.exists(MARX):
        raise Skip("the data of others are not there")
    with gzip.open(MARX, "rt", newline="") as f, open(f"{folder}/{name}.csv", "w", encoding="ascii") as out:
        for i, line in enumerate(f):
            out.write(line.rstrip("\r\n") + (",n\n" if i == 0 else ",1\n"))
        out.writelines(",".join(map(str, row)) + "\n" for row in more)
    teiten("import", "--data", f"{folder}/{name}", "--map", MARX_MAP, f"{folder}/{name}.csv")
    return f"{folder}/{name}"


def by_day(data):
    """Value of each port and day, and the plain mean's."""
    told = json.loads(teiten("top", "--data", data, "--top", "all", "--from", "2013-03-03", "--until", "2013-05-31", "--step", "day", "--json"))
    return {s["label"]: s["values"] for s in told["series"]}


def test_five_thousand_packets_on_one_of_nine_sensors_move_real_values_little(folder):
    plain = marx(folder, "plain")
    rows = json.loads(teiten("top", "--data", plain, "--top", "all", "--from", "2013-04-15", "--until", "2013-05-29", "--json"))["rows"]
    ports = [r["label"] for r in rows if r["value"] >= 3 and r["label"].endswith(("/tcp", "/udp"))]
    sensors = ["groucho-oregon", "groucho-us-east", "groucho-singapore", "groucho-tokyo", "groucho-sa", "zeppo-norcal", "groucho-norcal", "groucho-eu", "groucho-sydney"]
    hits = [(port, 15 + 7 * i % 44, sensors[i % 9]) for i, port in enumerate(ports)]
    day = {port: datetime.date(2013, 4, 1) + datetime.timedelta(days=d) for port, d, _ in hits}
    bent = marx(folder, "bent", [(f"{day[p]} 12:00:00", s, 1032051418, p.split("/")[1].upper(), "", 6000, p.split("/")[0], 5000) for p, _, s in hits])
    a, b = by_day(plain), by_day(bent)
    shifts = []
    for port, _, _ in hits:
        at = (day[port] - datetime.date(2013, 3, 3)).days
        shifts.append(abs(b[port][at] / a[port][at] - 1))
    assert len(shifts) >= 8 and statistics.median(shifts) <= .05, sorted(shifts)
    print(f"# {len(shifts)} ports, median shift {statistics.median(shifts):.3f}, largest {max(shifts):.3f}")


def test_what_two_sensors_or_one_source_did_is_said_to_be_theirs(folder):
    found = json.loads(teiten("sensor", "odd", "--data", marx(folder, "d"), "--json"))["findings"]
    for label, first in (("icmp/8", "2013-04-14"), ("6666/tcp", "2013-04-17")):
        partial = [f for f in found if f["label"] == label and f["finding"] == "partial rise" and first <= f["from"] <= "2013-04-19"]
        assert partial and all((f["sensors"], f["of"]) == (2, 9) for f in partial), (label, partial)
    one = [f for f in found if f["label"] == "53/udp" and f["finding"] == "one source" and "2013-03-17" <= f["to"] <= "2013-03-18"]
    assert one and one[0]["packets"] > .8 * one[0]["all_packets"], one
    odd = [f for f in found if f["label"] == "445/tcp" and f["sensor"] == "groucho-tokyo" and f["finding"] == "odd, too much"]
    assert odd and odd[0]["factor"] > 5, odd


def test_real_surge_is_worth_a_look_and_few_rises_are_alarms(folder):
    listed = json.loads(teiten("surge", "list", "--all", "--data", marx(folder, "d"), "--json"))["surges"]
    alarms = [s["label"] for s in listed if s["level"] == "alarm" and s["class"] in ("broad", "level shift")]
    assert len(alarms) <= 3 and not {"1469/udp", "1499/udp", "1772/udp", "53/udp"} & set(alarms), alarms
    vnc = [s for s in listed if s["label"] == "5900/tcp" and "2013-05-23" <= s["onset"] < "2013-05-25"]
    assert len(vnc) == 1 and vnc[0]["sensors"] >= 8, [s for s in listed if s["label"] == "5900/tcp"]


def test_surge_of_today_is_told_once(folder):
    def ago(days):
        return (datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=days)).isoformat()

    with open(f"{folder}/scenario", "w", encoding="ascii") as f:
        f.write(SCENARIO.replace("Asia/Tokyo", "UTC").replace("2020-01-01", ago(76)).replace("2020-03-16", ago(0)).replace("2020-02-25", ago(1)).replace("2020-03-05", ago(0)))
    teiten("simulate", "--data", f"{folder}/d", "--seed", "5", f"{folder}/scenario")
    for _ in range(2):
        keep = subprocess.Popen([BINARY, "keep", "--data", f"{folder}/d"], stderr=subprocess.DEVNULL)
        try:
            for _ in range(300):
                told = [line for line in open(f"{folder}/d/notices/log", encoding="ascii") if " surge " in line] if os.path.exists(f"{folder}/d/notices/log") else []
                if told:
                    break
                time.sleep(.1)
            time.sleep(1)
        finally:
            keep.terminate()
            keep.wait(30)
    told = [line.split()[1:3] for line in open(f"{folder}/d/notices/log", encoding="ascii")]
    assert [t[0] for t in told].count("surge") == 1 and told[0][1].startswith("10000-tcp-"), told


def test_odd_sensor_does_not_carry_the_value(folder):
    with open(f"{folder}/scenario", "w", encoding="ascii") as f:
        f.write(SCENARIO)
    teiten("simulate", "--data", f"{folder}/d", "--seed", "6", f"{folder}/scenario")
    before, since = (json.loads(teiten("top", "--data", f"{folder}/d", "--port", "445/tcp", "--from", a, "--until", b, "--json"))["rows"][0]
                     for a, b in (("2020-02-10", "2020-02-24"), ("2020-03-02", "2020-03-14")))
    assert since["plain"] > 2.5 * before["plain"] and since["value"] < 1.3 * before["value"], (before, since)


def test_few_sensors_are_said_to_be_few(folder):
    remark = {1: ["no cross-check possible"], 2: ["no cross-check possible"], 3: ["weak cross-check"]}
    for n in (1, 2, 3):
        data = f"{folder}/d{n}"
        kept = [line for line in SCENARIO.splitlines() if not (line.startswith(("sensor", "odd")) and int(line.split()[1][1]) >= n)]
        with open(f"{folder}/scenario", "w", encoding="ascii") as f:
            f.write("\n".join(kept) + "\n")
        teiten("simulate", "--data", data, "--seed", "5", f"{folder}/scenario")
        told = json.loads(teiten("port", "445/tcp", "--data", data, "--from", "2020-02-10", "--until", "2020-02-24", "--json"))
        series = told["series"][0]
        assert told["across"] == "robust" and all(r[:1] == remark[n] for r in series["remarks"]), (n, series["remarks"])
        assert series["judged"] == [n] * 14 and (n == 3 or series["values"] == series["plain"]), (n, series)
        assert (series["standard_error"] != [None] * 14) == (n == 3), (n, series)
        found = json.loads(teiten("surge", "list", "--all", "--data", data, "--json"))["surges"]
        rise = [s for s in found if s["label"] == "10000/tcp"]
        assert rise and rise[0]["level"] == ("alarm" if n == 3 else "watch"), (n, found)
        assert n == 3 or all(s["class"] == "local rise" for s in found), (n, found)
        assert all(s["sensors"] <= n for s in found), (n, found)


run_tests("statistics", globals())
