"""What the command-line tests share: the program under test, how a test is run and told, and a few checks.

A script names its tests test_...(folder), each with a fresh folder that goes with it, and ends with run_tests(title, globals()).
Words behind the binary on the command line choose tests by a part of their names."""
import json
import os
import pwd
import re
import shutil
import struct
import subprocess
import sys
import tempfile

BINARY = os.path.abspath(sys.argv[1])
TOLD_MAX = 2000


class Skip(Exception):
    """A test that cannot be run here; its text says why."""


def run_tests(title, names):
    """Runs them, prints one line a test, and ends the process: 1 when one has failed."""
    failed, only = False, sys.argv[2:]
    for name, test in list(names.items()):
        if not name.startswith("test_") or (only and not any(part in name for part in only)):
            continue
        told = f"{title}: {name[5:].replace('_', ' ')}"
        with tempfile.TemporaryDirectory() as folder:
            try:
                test(folder)
                print(f"ok {told}")
            except Skip as why:
                print(f"skip {told}: {why}")
            except Exception as failure:  # told, and the next one runs
                failed = True
                print(f"not ok {told}: {failure!r}"[:TOLD_MAX])
        sys.stdout.flush()
    sys.exit(1 if failed else 0)


def one_line(done, status, *words):
    """The command ended with that status and said so in one line that has these words."""
    text = done.stderr.strip()
    assert done.returncode == status and len(text.splitlines()) == 1 and all(w in text for w in words), (done.returncode, text, words)


def rights(pid):
    """What the kernel says a process may: its user, its capabilities, whether it can get new ones, whether its system calls are filtered."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        told = dict(re.findall(r"^(\w+):\s+(\S+)", f.read(), re.M))
    return pwd.getpwuid(int(told["Uid"])).pw_name, int(told["CapEff"], 16), told["NoNewPrivs"] == "1", told["Seccomp"] == "2"


def certificate(folder, name="centre", subject="127.0.0.1"):
    """An authority of the test's own, which signs itself."""
    pem, key = f"{folder}/{name}.pem", f"{folder}/{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test",
                    "-addext", f"subjectAltName=IP:{subject}", "-keyout", key, "-out", pem], check=True, capture_output=True)
    return pem, key


def telescope(path, *more):
    """Writes an invented capture; returns the truth about it."""
    done = subprocess.run([BINARY, "simulate", "--pcap", path, "--seed", "7", *more], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, (more, done.returncode, done.stderr)
    with open(path + ".truth.json", encoding="utf-8") as f:
        return json.load(f)


def frame(second, i=0):
    """A SYN to 23/tcp of a watched address, raw IP, as a pcap holds it."""
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40, i, 0, 60, 6, 0, bytes([198, 51, 100, i % 250]), bytes([198, 18, 0, 1]))
    tcp = struct.pack(">HHIIBBHHH", 40000, 23, 1, 0, 0x50, 2, 1024, 0, 0)
    return struct.pack("<IIII", second, 0, 40, 40) + ip + tcp


def pcap(path, seconds):
    """One such at each of these times."""
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for i, second in enumerate(seconds):
            f.write(frame(second, i))
    return path


def command(*words, **kw):
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=60, **kw)


class Namespaces:
    """Network namespaces of the test's own, gone with it; wire() joins two of them."""

    def __init__(self, *names):
        if os.getuid() != 0 or not shutil.which("ip"):
            raise Skip("needs root and iproute2")
        self.names = [f"{name}-{os.getpid()}" for name in names]
        try:
            for name in self.names:
                command("ip", "netns", "add", name)
        except subprocess.CalledProcessError as why:
            raise Skip(f"no network namespaces here: {why.stderr.strip()}") from why

    def __enter__(self):
        try:
            self.join()
        except Exception:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)

    @staticmethod
    def wire(*ends):
        """Two ends: (namespace, device, address)."""
        (one, device, _), (other, peer, _) = ends
        command("ip", "link", "add", device, "netns", one, "type", "veth", "peer", "name", peer, "netns", other)
        for name, end, at in ends:
            command("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
            command("ip", "-n", name, "addr", "add", at, "dev", end)
            command("ip", "-n", name, "link", "set", "lo", "up")
            command("ip", "-n", name, "link", "set", end, "up")
