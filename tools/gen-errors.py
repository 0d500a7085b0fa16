#!/usr/bin/env python3
"""Writes accord/error.h or errors.c from api/errors.tsv: `gen-errors.py header|source TSV OUT`."""

import re
import sys


def rows(path):
    seen = set()
    with open(path, encoding="utf-8") as tsv:
        for number, line in enumerate(tsv, 1):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            fields = line.split("\t")
            if len(fields) != 3:
                sys.exit(f"{path}:{number}: want code, status and title, separated by tabs")
            code, status, title = fields
            if not re.fullmatch(r"[a-z][a-z0-9_]*", code):
                sys.exit(f"{path}:{number}: {code!r} is not a code")
            if code in seen:
                sys.exit(f"{path}:{number}: {code} stands twice")
            if not 400 <= int(status) <= 599:
                sys.exit(f"{path}:{number}: {status} is not an error status")
            if '"' in title or "\\" in title:
                sys.exit(f"{path}:{number}: a title may hold neither quotes nor backslashes")
            seen.add(code)
            yield code, int(status), title


HEADER = """/** Errors of Accord; made from api/errors.tsv. */
#ifndef ACCORD_ERROR_H
#define ACCORD_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/** Success, or why not. Codes are stable: a published one is never renamed or reused. */
enum accord_error {
    ACCORD_OK,
%s};

/** The stable code as it stands in answers ("overflow"); static storage. */
const char *accord_error_code(enum accord_error error);

/** One English sentence for people; static storage. */
const char *accord_error_title(enum accord_error error);

/** The HTTP status that goes with the error; 200 for ACCORD_OK. */
unsigned accord_error_status(enum accord_error error);

#ifdef __cplusplus
}
#endif

#endif
"""

SOURCE = """/* Made from api/errors.tsv. */
#include "accord/error.h"

static const struct {
    const char *code;
    const char *title;
    unsigned status;
} errors[] = {
    {"ok", "Success", 200},
%s};

const char *accord_error_code(enum accord_error error)
{
    return errors[error].code;
}

const char *accord_error_title(enum accord_error error)
{
    return errors[error].title;
}

unsigned accord_error_status(enum accord_error error)
{
    return errors[error].status;
}
"""


def main():
    kind, tsv, out = sys.argv[1:]
    if kind == "header":
        body = HEADER % "".join(
            f"    ACCORD_E_{code.upper()}, /**< {status}: {title} */\n" for code, status, title in rows(tsv)
        )
    else:
        body = SOURCE % "".join(
            f'    {{"{code}", "{title}", {status}}},\n' for code, status, title in rows(tsv)
        )
    with open(out, "w", encoding="utf-8") as file:
        file.write(body)


main()
