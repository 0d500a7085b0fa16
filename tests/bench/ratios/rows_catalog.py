"""A catalog of 100,000 courses: imported, and imported again unchanged."""

import json
import time

import books
import ceilings
import host
import pairs
from service import NDJSON, Service

PER_COMMIT = 500  # as Accord applies them
PATH = "/v1/catalogs?mode=full"
WORDS = ("data", "history", "Python", "design", "music", "statistics", "writing", "finance", "health", "language",
         "physics", "law", "cloud", "poetry", "marketing", "biology")


def course(i):
    word, other = WORDS[i % 16], WORDS[i // 16 % 16]
    return {
        "course_id": f"course-{i:06}", "title": f"{word.capitalize()} and {other}, part {i}",
        "summary": f"What everybody who works with {word} should know about {other}: lessons, exercises, a project.",
        "language": "en", "level": ("beginner", "intermediate", "advanced")[i % 3],
        "subjects": [word, other], "instructors": [f"Teacher {i % 977}"], "format": ["video"], "kind": "course",
        "duration_minutes": 30 + i % 900, "url": f"https://school.example/courses/{i}",
        "offers": [{"mode": "buy", "price": {"amount": 990 + i % 90 * 100, "currency": "EUR"}}],
        "rating": {"value": f"{3 + i % 20 / 10:.1f}", "best": "5", "count": i % 5000}, "enrolments": i * 13 % 100000}


def ndjson(count):
    return ("\n".join(json.dumps(course(i), separators=(",", ":")) for i in range(count)) + "\n").encode()


def bring(running, text, provider="school"):
    """Sends a catalog; answers the seconds until it is visible, and the receipt."""
    running.connection.close()
    began = time.monotonic()
    receipt = json.loads(running.send(provider, "POST", PATH, text, NDJSON)[1])
    while receipt["state"] in ("staged", "applying"):
        time.sleep(0.01)
        receipt = running.call(provider, "GET", f"/v1/catalogs/{receipt['id']}")
    took = time.monotonic() - began
    if receipt["state"] != "applied":
        raise RuntimeError(f"the catalog is {receipt['state']}")
    return took, receipt


def measure(table, plan):
    count = 20_000 if plan.quick else 100_000
    what = f"catalog of {count:,} courses"
    text = ndjson(count)
    file = host.WORK / "catalog.ndjson"
    empty = host.WORK / "catalog"
    with Service(host.ACCORD, empty) as running:
        running.partner("school", "provider", "EUR")
        keys = running.keys
    books.at_rest(empty)
    prepared = books.Books(empty, keys)
    file.write_bytes(text)
    again = []

    def first():
        found = prepared.copy("run")
        with books.service(found) as running:
            took, receipt = bring(running, text)
            second, unchanged = bring(running, text)
        if receipt["counts"]["created"] != count or unchanged["counts"]["unchanged"] != count:
            raise RuntimeError(f"{receipt}, then {unchanged}")
        books.at_rest(found.folder)
        again.append(second / took)
        return count / took, found

    def raw(run):
        return ceilings.insert("courses.sql", run[1], prepared.copy("raw"), "course", PER_COMMIT, PER_COMMIT)

    def parse(_):
        return ceilings.parse(file)

    found = pairs.alternate(plan, first, {"raw": raw, "parse": parse}, 2 if plan.quick else 3)
    rates = sorted(subject for subject, _ in found["raw"].pairs)
    note = f"{rates[len(rates) // 2]:.0f} courses/s"
    if plan.quick:
        note += f"; --quick: {count:,} instead of 100,000"
    table.add("catalog_first", f"{what}, first import: rows/s ÷ raw SQLite upsert loop", found["raw"].ratios(),
              (">=", 0.5), note=note, detail={"pairs": found["raw"].pairs})
    table.add("catalog_parse", "the same: rows/s ÷ jansson parsing the same bytes", found["parse"].ratios(),
              detail={"pairs": found["parse"].pairs})
    table.add("catalog_again", "the same again, unchanged: time ÷ first import", again, ("<=", 0.33))
