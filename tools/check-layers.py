#!/usr/bin/env python3
"""Fails when an include crosses the layers of ARCHITECTURE.md the wrong way.

Reads src/ of the folder it is called in.
"""

import pathlib
import re
import sys

# Room -> rooms it may include. Every room may use base, the public headers and itself.
ALLOWED = {
    "base": set(),
    "domain": set(),
    "json": set(),
    "db": set(),
    "http": set(),
    "net": set(),
    "store": {"db", "domain"},
    "ingest": {"json", "store", "domain"},
    "service": {"ingest", "json", "store", "domain", "net"},
    "api": {"http", "json", "ingest", "store", "domain", "service"},
}

# A library has one room that may include its header.
OWNERS = {
    "microhttpd.h": "http",
    "jansson.h": "json",
    "curl/": "net",
    "sqlite3.h": "db",
    "libpq-fe.h": "db",
}


def main():
    bad = []
    files = 0
    for path in sorted(pathlib.Path("src").rglob("*.[ch]")):
        room = path.parts[1] if len(path.parts) > 2 else "main"
        if room != "main" and room not in ALLOWED:
            bad.append(f"{path}: {room} is not a room of the architecture")
            continue
        files += 1
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if re.match(r"\s*DB_SQL\(", line) and room not in ("store", "db"):
                bad.append(f"{path}:{number}: SQL is declared in store/ only")
            found = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
            if not found:
                continue
            header = found.group(2)
            for library, owner in OWNERS.items():
                if header.startswith(library) and room != owner:
                    bad.append(f"{path}:{number}: <{header}> belongs to {owner}/ only")
            target = header.split("/")[0]
            if found.group(1) == '"' and "/" not in header and room != "main":
                target = room
            if target in ALLOWED and room != "main":
                if target not in ALLOWED[room] | {room, "base"}:
                    bad.append(f"{path}:{number}: {room} may not include {target}")
    print("\n".join(bad))
    print(f"layers: {files} files, {len(bad)} wrong")
    return 1 if bad else 0


sys.exit(main())
