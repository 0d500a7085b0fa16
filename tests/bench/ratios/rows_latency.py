"""Whether large batches hold up those who post one event at a time."""

import http.client
import json
import threading
import time

import books
import load
import rows_events

ITEMS = 10_000


def batch(number):
    return "\n".join(
        f'{{"event_id":"large-{number}-{i}","type":"progress","occurred_at":"2026-02-{1 + i % 28:02}T10:00:00Z",'
        f'"learner":"learner-{i * 7919 % 100003}","provider":"school","course_id":"c{i % 1000}",'
        f'"progress_ppm":{i * 31 % 1000000}}}' for i in range(ITEMS)).encode() + b"\n"


class Sender(threading.Thread):
    """Posts a batch each second until told to stop."""

    def __init__(self, address, key, batches):
        super().__init__()
        self.address, self.key, self.batches = address, key, batches
        self.over = threading.Event()
        self.accepted, self.took = 0, []

    def run(self):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        head = {"Authorization": "Bearer " + self.key, "Content-Type": "application/x-ndjson"}
        began = time.monotonic()
        for number, body in enumerate(self.batches):
            if self.over.wait(max(0, began + number - time.monotonic())):
                return
            sent = time.monotonic()
            connection.request("POST", "/v1/events", body, head)
            self.accepted += json.loads(connection.getresponse().read())["accepted"]
            self.took.append(time.monotonic() - sent)


def measure(table, plan):
    prepared = books.make("latency")
    seconds = 3 if plan.quick else 5
    batches = [batch(number) for number in range(seconds + 2)]
    ratios, details = [], []
    for _ in range(1 if plan.quick else plan.rounds):
        found = prepared.copy("run")
        with books.service(found) as running:
            url, key = f"http://{running.address}/v1/events", found.keys["shop"]

            def singles():
                return load.wrk(url, seconds, "events.lua", (), (key, f"run{next(rows_events.runs)}", "1", "progress"))["p99_ms"]

            alone = singles()
            sender = Sender(running.address, key, batches)
            sender.start()
            beside = singles()
            sender.over.set()
            sender.join()
        if sender.accepted < ITEMS * (len(sender.took) or 1):
            raise RuntimeError(f"{sender.accepted} items of {len(sender.took)} batches were accepted")
        ratios.append(beside / alone)
        details.append({"alone_ms": alone, "beside_ms": beside, "batch_s": sender.took})
    middle = sorted(details, key=lambda one: one["beside_ms"])[len(details) // 2]
    table.add("p99", "single-event POST, p99 while a 10,000-item batch a second comes in: ÷ p99 without", ratios,
              ("<=", 5), detail={"runs": details},
              note=f"{middle['beside_ms']:.0f} ms, without {middle['alone_ms']:.0f} ms")
