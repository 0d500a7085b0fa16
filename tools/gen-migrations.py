#!/usr/bin/env python3
"""Embeds the migrations in the program: `gen-migrations.py OUT NNNN_name.sql...`.

Scripts become arrays of bytes, for C's string literals have a length that every compiler must take
and no more.
"""

import pathlib
import re
import sys


def main():
    out, *paths = sys.argv[1:]
    arrays, rows = [], []
    for number, path in enumerate(sorted(map(pathlib.Path, paths), key=lambda path: path.name), 1):
        found = re.fullmatch(r"(\d{4})_([a-z][a-z0-9_]*)\.sql", path.name)
        if not found or int(found.group(1)) != number:
            sys.exit(f"{path}: want {number:04d}_name.sql: migrations are numbered without gaps")
        data = path.read_bytes()
        data.decode("utf-8")
        if b"\0" in data or b"\r" in data:
            sys.exit(f"{path}: a migration may hold neither NUL nor CR")
        lines = [
            "    " + ",".join(str(byte) for byte in data[i : i + 24]) + ","
            for i in range(0, len(data), 24)
        ]
        arrays.append(
            f"static const unsigned char script_{number}[] = {{\n" + "\n".join(lines) + "\n    0};\n"
        )
        rows.append(f'    {{{number}, "{found.group(2)}", (const char *)script_{number}}},\n')
    pathlib.Path(out).write_text(
        '/* Made from src/db/migrations. */\n#include "db/migrate.h"\n\n'
        + "\n".join(arrays)
        + "\nconst struct db_migration db_migrations[] = {\n"
        + "".join(rows)
        + "};\nconst size_t db_migration_count = sizeof db_migrations / sizeof db_migrations[0];\n",
        encoding="utf-8",
    )


main()
