"""wrk on the load's core: requests a second and their times."""

import json
import subprocess

import host

CONNECTIONS = 64


class Failed(Exception):
    pass


def wrk(url, seconds, script="report.lua", headers=(), arguments=(), connections=CONNECTIONS, pinned=True):
    """Answers what report.lua prints."""
    command = ["wrk", "-t", 1, "-c", connections, "-d", f"{seconds}s", "--timeout", "30s", "-s",
               host.BENCH / "load" / script]
    for header in headers:
        command += ["-H", header]
    command += [url, "--", *arguments]
    done = subprocess.run(host.loading(*command) if pinned else host.anywhere(*command), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines or not lines[-1].startswith("{"):
        raise Failed(done.stdout)
    report = json.loads(lines[-1])
    if report["failed"] or report["requests"] == 0:
        raise Failed(f"{url}: {report['failed']} of {report['requests']} requests failed")
    report["rate"] = report["requests"] / report["seconds"]
    return report
