#!/usr/bin/env python3
"""Captures that others made, counted beside tshark: packets by protocol, port and source are the same, and what is not is
explained frame by frame, with nothing left over.

Usage: test_oracle.py BINARY. Needs tshark and ${TEITEN_SHARED:-../shared}/data; skips, saying so, without them."""
import collections
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

BINARY = os.path.abspath(sys.argv[1])
DATA = os.path.abspath(os.path.join(os.environ.get("TEITEN_SHARED", "../shared"), "data"))
FOLDERS = ["tcpdump-tests", "pcapng-suite", "libtrace-traces", "pcap-ddos", "pcap-scanners", "zeek-traces"]
FIELDS = ("frame.time_epoch frame.protocols ip.src ip.frag_offset ipv6.src ipv6.plen ipv6.fraghdr.offset tcp.srcport tcp.dstport tcp.flags "
          "udp.srcport udp.dstport icmp.type icmp.code icmpv6.type icmpv6.code").split()
EARLIEST, LATEST = 631152000, time.time() + 86400    # other times are those of a clock that was not set
TUNNELS = {"mpls", "macsec", "nsh", "vxlan", "gre", "teredo", "l2tp", "geneve", "gtp", "erspan"}
WHOLE = ("is not read", "not a capture")     # a link that is no IP network's, a format that is not pcap or pcapng
EXPLAINED = {
    "no-time": "a block of pcapng without a time, or a time before 1990",
    "no-packet": "a block of pcapng that holds no packet",
    "tunnel": "inside another protocol, which is not looked into",
    "fragment": "a later fragment, which has no ports",
    "other": "another protocol over IP, or none",
    "cut": "captured too short for its header, or damaged",
}


def tshark(path):
    words = ["tshark", "-n", "-r", path, "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-T", "fields", "-E", "occurrence=f",
             "-E", "separator=|"]
    for field in FIELDS:
        words += ["-e", field]
    done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=100, check=False)
    return [dict(zip(FIELDS, line.split("|"))) for line in done.stdout.splitlines()]


def transport(x, top, v6):
    """(protocol, label) as Teiten counts them, or why it does not."""
    if top == "tcp" and x["tcp.flags"]:
        flags = int(x["tcp.flags"], 16)
        answer = flags & 4 or flags & 0x12 == 0x12
        return "tcp", (x["tcp.srcport"] if answer else x["tcp.dstport"]) + "/tcp"
    if top == "udp" and x["udp.dstport"]:
        return "udp", (x["udp.srcport"] if x["udp.srcport"] == "53" else x["udp.dstport"]) + "/udp"
    if top == "icmp" and not v6 and x["icmp.type"]:
        return "icmp", "icmp/" + x["icmp.type"]
    if top == "icmpv6" and v6 and x["icmpv6.type"]:
        return "icmpv6", "icmpv6/" + x["icmpv6.type"]
    return "cut" if top in ("tcp", "udp", "icmp", "icmpv6") else "other"


def judge(x):
    """A frame that counts as (protocol, label, source), or the name of what explains that it does not."""
    layers = x["frame.protocols"].split(":")
    at = next((i for i, name in enumerate(layers) if name in ("ip", "ipv6")), None)
    if layers[0] == "data" and len(layers) == 1:
        return "no-packet"
    if not x["frame.time_epoch"] or not EARLIEST <= float(x["frame.time_epoch"]) <= LATEST:
        return "no-time"
    if at is None:
        return "other"
    if TUNNELS & set(layers[:at]):
        return "tunnel"
    v6 = layers[at] == "ipv6"
    above = [name for name in layers[at + 1:] if not name.startswith("ipv6.")]
    offset = x["ipv6.fraghdr.offset"] if v6 else x["ip.frag_offset"]
    if offset and int(offset, 0) > 0:
        return "fragment"
    found = transport(x, above[0] if above else "", v6)
    return found if isinstance(found, str) else (*found, x["ipv6.src"] if v6 else x["ip.src"])


def imported(*words):
    done = subprocess.run([BINARY, "import", "--json", "--sensor", "t", "--format", "pcap", *words], capture_output=True, text=True, timeout=100, check=False)
    return json.loads(done.stdout)["files"]


def unread(x):
    """What tshark gives up on and Teiten reads: an IPv6 length of 0 (a card would have cut it), ICMP shorter than its header,
    a second with an impossible fraction."""
    layers = x["frame.protocols"].split(":")
    return x["ipv6.plen"] == "0" or ("icmp" in layers and not x["icmp.type"]) or \
        ("ip" in layers and (not x["frame.time_epoch"] or x["frame.time_epoch"][0] == "-"))


def refused_whole(mine):
    """Why a file is not read at all; None when it is, also when none of its frames counts."""
    if mine["status"] != "refused" or "could be counted" in mine["error"]:
        return None
    return next((why for why in WHOLE if why in mine["error"]), mine["error"])


def compare(path):
    """Why it is refused whole, or the file's counts by Teiten and by tshark, and the frames that only Teiten reads."""
    mine = imported("--dry-run", path)[0]
    why = refused_whole(mine)
    if why:
        return path, why, None, 0
    mine.setdefault("counted", 0)
    frames = tshark(path)
    return path, mine, [judge(x) for x in frames], sum(unread(x) for x in frames)


def packets(data, each):
    done = subprocess.run([BINARY, "top", "--data", data, "--each", each, "--kind", "all", "--from", "1990-01-01", "--until", "2027-01-01", "--top", "all",
                           "--json"], capture_output=True, text=True, timeout=100, check=True)
    return {row["label"]: row["packets"] for row in json.loads(done.stdout)["rows"]}


def main():
    if not shutil.which("tshark") or not os.path.isdir(DATA):
        print("skip oracle: captures counted beside tshark: needs tshark and the data of others")
        return 0
    paths = sorted(os.path.join(where, name) for folder in FOLDERS for where, _, names in os.walk(os.path.join(DATA, folder)) for name in names)
    problems, same, read, whole = [], [], 0, collections.Counter()
    explained, totals = collections.Counter(), {"proto": collections.Counter(), "port": collections.Counter(), "source": collections.Counter()}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for path, mine, judged, more in pool.map(compare, paths):
            if judged is None:
                whole[mine] += 1
                continue
            read += 1
            counted = [j for j in judged if isinstance(j, tuple)]
            if mine["counted"] - len(counted) not in range(more + 1):
                problems.append((os.path.relpath(path, DATA), mine["counted"], len(counted), mine["refused"]))
            explained.update(j for j in judged if isinstance(j, str))
            if not more:
                same.append(path)
                for proto, label, source in counted:
                    totals["proto"][proto] += 1
                    totals["port"][label] += 1
                    totals["source"][source] += 1
    good = not problems and read > 300 and set(explained) <= set(EXPLAINED) and set(whole) <= set(WHOLE)
    print(f"{'ok' if good else 'not ok'} oracle: every packet of {read} captures is counted as tshark sees it, or explained: {problems[:5] or ''}{set(whole) - set(WHOLE) or ''}")
    for why, n in sorted(explained.items()):
        print(f"# {n} frames are not counted: {EXPLAINED.get(why, why)}")
    for why, n in sorted(whole.items()):
        print(f"# {n} files are refused whole: {why}")
    with tempfile.TemporaryDirectory() as data:
        for at in range(0, len(same), 200):
            imported("--data", data, *same[at:at + 200])
        for each, want in totals.items():
            got = packets(data, each)
            differ = [(k, got.get(k, 0), want.get(k, 0)) for k in got.keys() | want.keys() if got.get(k, 0) != want.get(k, 0)]
            good = good and not differ
            print(f"{'ok' if not differ else 'not ok'} oracle: packets by {each} of {len(same)} captures are those of tshark {differ[:5] or ''}")
    return 0 if good else 1


sys.exit(main())
