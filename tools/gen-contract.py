#!/usr/bin/env python3
"""Builds the contract into the program: `gen-contract.py OPENAPI.yaml OUT.c`.

Writes the document as compact JSON, and one row for each of its operations, by which a test compares
the contract with the route table.
"""

import hashlib
import json
import sys

import embed
import yaml

METHODS = ("get", "put", "post", "delete", "patch")


def resolve(document, value):
    while "$ref" in value:
        target = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        value = target
    return value


def operations(document):
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method.upper(), item[method], item.get("parameters", [])


def row(document, path, method, operation, shared):
    parameters = [resolve(document, p) for p in shared + operation.get("parameters", [])]
    names = {place: [p["name"] for p in parameters if p["in"] == place] for place in ("query", "header")}
    body = resolve(document, operation.get("requestBody", {}))
    fields = [
        operation["operationId"],
        method,
        path,
        " ".join(operation.get("x-scopes", [])),
        " ".join(operation.get("x-roles", [])),
        " ".join(sorted(names["query"])),
        " ".join(sorted(body.get("content", {}))),
    ]
    headers = {name.lower() for name in names["header"]}
    flags = [
        str(operation.get("security") == []).lower(),
        str("idempotency-key" in headers).lower(),
    ]
    return "    {" + ", ".join([embed.string(f) for f in fields] + flags) + "},\n"


def main():
    source, out = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        document = yaml.safe_load(file)
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=str).encode()
    version = document["info"]["version"] + "+" + hashlib.sha256(text).hexdigest()[:12]
    rows = [row(document, *operation) for operation in operations(document)]
    with open(out, "w", encoding="utf-8") as file:
        file.write("/* Made from api/openapi.yaml. */\n#include \"api/openapi.h\"\n\n")
        file.write(f"const char openapi_version[] = {embed.string(version)};\n")
        file.write(embed.array("openapi_json", text))
        file.write("const struct openapi_operation openapi_operations[] = {\n" + "".join(rows) + "};\n")
        file.write(f"const size_t openapi_operations_count = {len(rows)};\n")


main()
