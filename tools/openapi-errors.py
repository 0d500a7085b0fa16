#!/usr/bin/env python3
"""Keeps the error parts of api/openapi.yaml equal to api/errors.tsv.

`openapi-errors.py` writes them, `openapi-errors.py --check` fails when they differ or when an
operation's x-codes names a code that the registry does not have. Between the markers stand the enum
of all codes and one response per status, whose schema allows that status's codes only.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CONTRACT = ROOT / "api" / "openapi.yaml"
REGISTRY = ROOT / "api" / "errors.tsv"

# Status -> name of the response, what it means, headers that come with it.
RESPONSES = {
    400: ("BadRequest", "The request cannot be read", ()),
    401: ("Unauthenticated", "No valid key", ("WWW-Authenticate",)),
    403: ("Forbidden", "The key, its scopes or its partner do not allow this", ()),
    404: ("NotFound", "Not there, or not visible to the caller", ()),
    405: ("MethodNotAllowed", "The resource does not have this method", ("Allow",)),
    406: ("NotAcceptable", "Accept allows none of the representations", ()),
    408: ("Timeout", "The request did not arrive in time", ()),
    409: ("Conflict", "It does not go with what is there", ()),
    411: ("LengthRequired", "The body needs a length", ()),
    412: ("PreconditionFailed", "The resource has changed", ()),
    413: ("TooLarge", "Too large for this operation", ()),
    414: ("TargetTooLong", "The request target is too long", ()),
    415: ("UnsupportedMedia", "Content-Type or Content-Encoding is not taken", ()),
    422: ("Unprocessable", "The body can be read, but not accepted", ()),
    428: ("PreconditionRequired", "If-Match (or If-None-Match: *) is missing", ()),
    431: ("HeadTooLarge", "The headers are too large", ()),
    429: ("RateLimited", "Too many requests", ("Retry-After",)),
    500: ("Internal", "An error of the service", ()),
    503: ("Unavailable", "Not now; nothing is known to be written", ("Retry-After",)),
    507: ("Full", "No room to store it", ()),
}
HEADERS = {
    "WWW-Authenticate": "{ $ref: '#/components/headers/WWWAuthenticate' }",
    "Retry-After": "{ $ref: '#/components/headers/RetryAfter' }",
    "Allow": "{ description: Methods of the resource, required: true, schema: { type: string } }",
}


def registry():
    codes = {}
    for line in REGISTRY.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            code, status, title = line.split("\t")
            codes[code] = (int(status), title)
    return codes


def enum_block(codes):
    lines = ["    ErrorCode:", "      type: string", "      enum:"]
    return lines + [f"        - {code}" for code in codes]


def response_block(codes):
    by_status = {}
    for code, (status, _) in codes.items():
        by_status.setdefault(status, []).append(code)
    unknown = sorted(set(by_status) - set(RESPONSES))
    if unknown:
        sys.exit(f"{REGISTRY}: status {unknown} needs a row in {__file__}")
    lines = []
    for status, (name, text, headers) in RESPONSES.items():
        allowed = by_status.get(status, [])
        lines += [f"    {name}:", f"      description: '{text}'", "      headers:"]
        lines += [f"        {header}: {HEADERS[header]}" for header in headers]
        lines += [
            "        X-Request-Id: { $ref: '#/components/headers/RequestId' }",
            "      content:",
            "        application/problem+json:",
            "          schema:",
            "            allOf:",
            "              - $ref: '#/components/schemas/Problem'",
            "            properties:",
            f"              status: {{ const: {status} }}",
            "              code:",
            "                enum:",
        ]
        lines += [f"                  - {code}" for code in allowed]
        code = allowed[0]
        title = codes[code][1]
        lines += [
            "          examples:",
            f"            {code}:",
            "              value: "
            + "{ "
            + f"type: '/docs#{code}', title: '{title}', status: {status}, code: {code}, request_id: 01J8Z0Q7"
            + " }",
        ]
    return lines


def replace(text, marker, lines):
    pattern = re.compile(rf"( *# {marker}:begin[^\n]*\n).*?( *# {marker}:end)", re.S)
    if not pattern.search(text):
        sys.exit(f"{CONTRACT}: no {marker}:begin … {marker}:end")
    return pattern.sub(lambda found: found[1] + "\n".join(lines) + "\n" + found[2], text)


def main():
    codes = registry()
    text = CONTRACT.read_text(encoding="utf-8")
    made = replace(replace(text, "errors", response_block(codes)), "codes", enum_block(codes))
    bad = [
        f"x-codes names {code}, which {REGISTRY.name} does not have"
        for listed in re.findall(r"x-codes: \[([^]]*)\]", text)
        for code in re.split(r",\s*", listed)
        if code not in codes
    ]
    if "--check" in sys.argv[1:]:
        if made != text:
            bad.append("the error parts are not those of the registry: run tools/openapi-errors.py")
    elif made != text:
        CONTRACT.write_text(made, encoding="utf-8")
    for problem in bad:
        print(f"api/openapi.yaml: {problem}", file=sys.stderr)
    return 1 if bad else 0


sys.exit(main())
