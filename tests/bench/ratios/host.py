"""The machine: which core is whose, what it has, and what runs on it."""

import os
import pathlib
import re
import socket
import subprocess

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]

ROOT = pathlib.Path(__file__).resolve().parents[3]
WORK = ROOT / "build" / "ratios"
RELEASE = ROOT / "build" / "release"
ACCORD = RELEASE / "accord"
CEILINGS = RELEASE / "tests" / "bench" / "ceilings"
BENCH = ROOT / "tests" / "bench"
PEERS = BENCH / "peers"


def serving(*command):
    """A command on the server's core."""
    return ["taskset", "-c", str(SERVER_CORE), *map(str, command)]


def loading(*command):
    """A command on the core of who loads it."""
    return ["taskset", "-c", str(LOAD_CORE), *map(str, command)]


def anywhere(*command):
    """A command on any core."""
    return ["taskset", "-c", ",".join(map(str, CORES)), *map(str, command)]


def stay_with_load():
    """This process, and all that it starts without saying where, on the core of the load."""
    os.sched_setaffinity(0, {LOAD_CORE})


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def says(*command):
    """The first line with a version that a command prints; None: it is not there."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    except OSError:
        return None
    found = re.search(r"\d+(\.\d+)+[^\s)]*", done.stdout)
    return found[0] if found else done.stdout.strip()[:80]


def package(name):
    """The version of a Debian package that is installed."""
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout or None


def processor():
    names = re.findall(r"^model name\s*:\s*(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return names[0] if names else os.uname().machine


def describe():
    """What the ratios were measured on."""
    return {
        "cores": len(CORES),
        "processor": processor(),
        "kernel": os.uname().release,
        "compiler": "gcc " + (says("gcc", "--version") or "?"),
        "commit": subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], stdout=subprocess.PIPE,
                                 text=True, check=False).stdout.strip(),
        "versions": {
            "libmicrohttpd": package("libmicrohttpd-dev"),
            "sqlite": package("libsqlite3-dev"),
            "jansson": package("libjansson-dev"),
            "wrk": package("wrk"),
            "nginx": says("nginx", "-v"),
            "node": says("node", "--version"),
            "python": says("python3", "--version"),
        },
    }
