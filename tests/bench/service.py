"""The release binary as a service on fresh books, for the scripts of this folder."""

import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import time

JSON = "application/json"
NDJSON = "application/x-ndjson"
FACTS_MAX = 1000
BYTES_MAX = 12_000_000
SCOPES = ["catalog:read", "catalog:write", "events:read", "events:write", "agreements:read",
          "agreements:write", "revenue:read", "statements:read", "statements:write"]


class Refused(Exception):
    """An answer that is not 2xx."""


class Service:
    """Starts `accord serve`; use it as a context. Its folder is made anew, or keys are those of its books.

    `before` stands in front of the command (taskset), `settings` are more of its environment.
    """

    def __init__(self, accord, folder, keys=None, before=(), settings=None):
        self.accord, self.folder, self.before = str(accord), pathlib.Path(folder), list(before)
        if keys is None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
        self.log = self.folder / "accord.log"
        self.env = os.environ | {
            "ACCORD_DATABASE": f"sqlite:{self.folder}/accord.db",
            "ACCORD_LISTEN": "127.0.0.1:0",
            "ACCORD_LOG_FILE": str(self.log),
        } | (settings or {})
        if keys is None:
            self.run("migrate")
            keys = {"operator": self.run("key", "create", "--operator").strip()}
        self.keys = dict(keys)
        self.log.write_text("")
        self.process = self.address = self.connection = None

    def run(self, *arguments):
        done = subprocess.run([self.accord, *arguments], env=self.env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise Refused(f"accord {arguments[0]}: {done.stdout}{done.stderr}")
        return done.stdout

    def has(self, command):
        """Whether the program knows a command."""
        done = subprocess.run([self.accord, "help"], env=self.env, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        return re.search(rf"^ *{command}\b", done.stdout, re.MULTILINE) is not None

    def __enter__(self):
        self.process = subprocess.Popen([*self.before, self.accord, "serve"], env=self.env)
        for _ in range(2000):
            ready = re.search(r'"event":"ready".*"address":"([^"]*)"', self.log.read_text())
            if ready:
                self.address = ready.group(1)
                self.connection = http.client.HTTPConnection(self.address, timeout=3600)
                return self
            time.sleep(0.005)
        self.process.kill()
        raise Refused("the service does not start: " + self.log.read_text())

    def __exit__(self, *_):
        self.process.terminate()
        if self.process.wait() != 0:
            raise Refused("the service stopped with an error")

    def send(self, key, method, path, body=None, kind=JSON, accept=JSON):
        """Answers (headers, bytes)."""
        head = {"Authorization": "Bearer " + self.keys[key], "Accept": accept}
        if body is not None:
            head["Content-Type"] = kind
        self.connection.request(method, path, body, head)
        answer = self.connection.getresponse()
        text = answer.read()
        if not 200 <= answer.status < 300:
            raise Refused(f"{method} {path}: {answer.status} {text[:500].decode()}")
        return answer.headers, text

    def call(self, key, method, path, value=None):
        body = None if value is None else json.dumps(value).encode()
        return json.loads(self.send(key, method, path, body)[1])

    def pages(self, key, path):
        cursor = None
        while True:
            page = self.call(key, "GET", path + (f"&cursor={cursor}" if cursor else ""))
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def partner(self, name, role, currency):
        self.call("operator", "POST", "/v1/partners", {"id": name, "name": name.capitalize(), "roles": [role],
                                                       "currency": currency, "time_zone": "UTC"})
        self.keys[name] = self.call("operator", "POST", f"/v1/partners/{name}/keys", {"scopes": SCOPES})["secret"]

    def agree(self, agreement):
        """Proposed by the first party, signed by all."""
        parties = agreement["parties"]
        self.call(parties[0], "POST", "/v1/agreements", agreement)
        path = f"/v1/agreements/{agreement['id']}/"
        self.call(parties[0], "POST", path + "propose", {"version": 1})
        for party in parties:
            self.call(party, "POST", path + "sign", {"version": 1})

    def catalog(self, key, text, query="mode=full"):
        receipt = json.loads(self.send(key, "POST", f"/v1/catalogs?{query}", text, "text/csv")[1])
        while receipt["state"] in ("staged", "applying"):
            time.sleep(0.05)
            receipt = self.call(key, "GET", f"/v1/catalogs/{receipt['id']}")
        if receipt["state"] != "applied":
            raise Refused(f"the catalog is {receipt['state']}")

    def post(self, key, facts, counts, path="/v1/orders"):
        """Posts facts (one line of JSON each) in batches; adds to counts by result and code."""
        batch, size = [], 0

        def flush():
            if batch:
                answer = json.loads(self.send(key, "POST", path, ("\n".join(batch) + "\n").encode(), NDJSON)[1])
                for name in ("accepted", "duplicate", "conflict", "rejected"):
                    counts[name] += answer[name]
                for result in answer["results"]:
                    if "code" in result:
                        counts[result["code"]] += 1

        for fact in facts:
            if len(batch) == FACTS_MAX or size + len(fact) > BYTES_MAX // 4:
                flush()
                batch, size = [], 0
            batch.append(fact)
            size += len(fact) + 1
        flush()

    def close(self, agreement, period, query=""):
        """Closes a period of an agreement, once nothing waits to be settled again; answers its statements.

        None when that outlasted the service's deadline for an answer, and took effect all the same.
        """
        late = False
        while True:
            try:
                path = f"/v1/agreements/{agreement}/periods/{period}/close{query}"
                return self.call("operator", "POST", path)["statements"]
            except Refused as refusal:
                if late and '"period_closed"' in str(refusal):
                    return None
                late |= '"deadline_exceeded"' in str(refusal)
                if not late and '"resettlement_pending"' not in str(refusal):
                    raise
                time.sleep(0.2)

    def draft(self, agreement, period):
        """The statements that closing would publish now."""
        return self.close(agreement, period, "?dry_run=true")

    def megabytes(self):
        return sum(f.stat().st_size for f in self.folder.glob("accord.db*")) // 1_000_000

    def peak(self):
        """Megabytes of memory that the service has used at most; 0 where the system does not say."""
        try:
            status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return 0
        return int(re.search(r"VmHWM:\s*(\d+)", status)[1]) // 1000
