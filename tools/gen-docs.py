#!/usr/bin/env python3
"""Makes the page of /docs: `gen-docs.py OPENAPI.yaml ERRORS.tsv OUT.c`.

One HTML page without outside assets: operations, schemas, error codes (their anchors are the `type`
of every problem answer). The configuration's table is put in by the program, which alone knows it.
"""

import html
import re
import sys

import embed
import yaml

METHODS = ("get", "put", "post", "delete", "patch")
MARK = "<!--configuration-->"
BULLET = r"^\s*[-*] "

STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8882;--link:#06c}
@media(prefers-color-scheme:dark){:root{--link:#6bf}}
*{box-sizing:border-box}body{margin:0;font:16px/1.5 system-ui,sans-serif;display:flex}
nav{position:sticky;top:0;height:100vh;overflow:auto;flex:0 0 19rem;padding:1rem;border-right:1px solid var(--line);font-size:.85rem}
nav a{display:block;text-decoration:none;padding:.1rem 0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
nav b{display:block;margin-top:.8rem}main{flex:1;min-width:0;max-width:62rem;padding:1rem 2rem 6rem}
a{color:var(--link)}h2{margin-top:3rem;border-bottom:1px solid var(--line)}h3{margin-top:2.2rem}
code,pre{font:.875em/1.45 ui-monospace,monospace;background:var(--soft);border-radius:3px}code{padding:.05em .3em}
pre{padding:.7rem;overflow:auto}table{border-collapse:collapse;width:100%;font-size:.9rem;display:block;overflow-x:auto}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid var(--line)}
.m{font:600 .8em ui-monospace,monospace;display:inline-block;min-width:4.2em}.get{color:#080}.post{color:#06c}
.put,.patch{color:#a60}.delete{color:#c00}td p,li p{margin:0}:target{outline:2px solid var(--link);outline-offset:4px}
@media(max-width:60rem){body{display:block}nav{position:static;height:auto;border:0}main{padding:1rem}}
"""


def esc(text):
    return html.escape(str(text), quote=True)


def inline(text):
    """The little of Markdown that descriptions use: `code`, **bold**."""
    out = []
    for part in re.split(r"(`[^`]*`)", str(text)):
        if part.startswith("`") and part.endswith("`") and len(part) > 1:
            out.append(f"<code>{esc(part[1:-1])}</code>")
        else:
            out.append(re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", esc(part), flags=re.S))
    return "".join(out)


def prose(text):
    if not text:
        return ""
    blocks = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = block.split("\n")
        if all(re.match(BULLET, line) for line in lines):
            items = "".join("<li>" + inline(re.sub(BULLET, "", line)) + "</li>" for line in lines)
            blocks.append(f"<ul>{items}</ul>")
        else:
            blocks.append(f"<p>{inline(' '.join(line.strip() for line in lines))}</p>")
    return "".join(blocks)


def table(head, rows):
    if not rows:
        return ""
    cells = "".join(f"<th>{esc(h)}</th>" for h in head)
    body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"


class Page:
    def __init__(self, document, errors):
        self.document = document
        self.errors = errors

    def resolve(self, value):
        while isinstance(value, dict) and "$ref" in value:
            target = self.document
            for part in value["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            value = target
        return value

    def type_of(self, schema):
        """A schema in a few words, with links to the named ones."""
        if not isinstance(schema, dict) or not schema:
            return "any"
        if "$ref" in schema:
            name = schema["$ref"].split("/")[-1]
            return f'<a href="#schema-{esc(name)}">{esc(name)}</a>'
        for word in ("oneOf", "anyOf"):
            if word in schema:
                return " or ".join(self.type_of(s) for s in schema[word])
        if "allOf" in schema:
            return " and ".join(self.type_of(s) for s in schema["allOf"])
        if "const" in schema:
            return f"<code>{esc(schema['const'])}</code>"
        if "enum" in schema:
            return " | ".join(f"<code>{esc(v)}</code>" for v in schema["enum"])
        kind = schema.get("type", "any")
        if isinstance(kind, list):
            kind = " or ".join(kind)
        if kind == "array":
            kind = "array of " + self.type_of(schema.get("items", {}))
        if "format" in schema:
            kind += f" ({esc(schema['format'])})"
        return kind + self.limits(schema)

    @staticmethod
    def limits(schema):
        words = []
        for low, high, unit in (
            ("minimum", "maximum", ""),
            ("minLength", "maxLength", " characters"),
            ("minItems", "maxItems", " items"),
        ):
            if low in schema or high in schema:
                words.append(f"{schema.get(low, '')}…{schema.get(high, '')}{unit}")
        if "default" in schema:
            words.append(f"default {schema['default']}")
        if "pattern" in schema:
            words.append(f"pattern {schema['pattern']}")
        return f" <small>({esc(', '.join(words))})</small>" if words else ""

    def properties(self, schema):
        required = schema.get("required", [])
        rows = []
        for name, value in schema.get("properties", {}).items():
            note = inline(value.get("description", "")) if isinstance(value, dict) else ""
            mark = "" if name in required else " <small>optional</small>"
            rows.append([f"<code>{esc(name)}</code>{mark}", self.type_of(value), note])
        return table(["field", "type", ""], rows)

    def content(self, content):
        return ", ".join(
            f"<code>{esc(media)}</code> {self.type_of(value.get('schema', {}))}" for media, value in content.items()
        )

    def operation(self, path, method, op, shared):
        out = [f'<h3 id="{esc(op["operationId"])}"><span class="m {method}">{method.upper()}</span>{esc(path)}</h3>']
        out.append(f"<p><strong>{inline(op.get('summary', ''))}</strong></p>{prose(op.get('description'))}")
        scopes = op.get("x-scopes", [])
        if op.get("security") == []:
            need = "No key is needed."
        elif scopes:
            need = "Scope: " + ", ".join(f"<code>{esc(s)}</code>" for s in scopes) + "."
        else:
            need = "Any key."
        if op.get("x-roles"):
            need += " Role: " + " or ".join(f"<code>{esc(r)}</code>" for r in op["x-roles"]) + "."
        out.append(f"<p>{need}</p>")
        rows = []
        for parameter in map(self.resolve, shared + op.get("parameters", [])):
            mark = "" if parameter.get("required") else " <small>optional</small>"
            rows.append(
                [
                    f"<code>{esc(parameter['name'])}</code>{mark}",
                    esc(parameter["in"]),
                    self.type_of(parameter.get("schema", {})),
                    inline(parameter.get("description", "")),
                ]
            )
        out.append(table(["parameter", "in", "type", ""], rows))
        if "requestBody" in op:
            out.append(f"<p>Body: {self.content(self.resolve(op['requestBody']).get('content', {}))}</p>")
        rows = []
        for status, answer in op.get("responses", {}).items():
            answer = self.resolve(answer)
            rows.append([esc(status), inline(answer.get("description", "")), self.content(answer.get("content", {}))])
        out.append(table(["status", "", "body"], rows))
        codes = op.get("x-codes", [])
        if codes:
            links = ", ".join(f'<a href="#{esc(c)}"><code>{esc(c)}</code></a>' for c in codes)
            out.append(f"<p>Error codes: {links}</p>")
        return "".join(out)

    def html(self):
        document = self.document
        info = document["info"]
        tags = {tag["name"]: tag.get("description", "") for tag in document.get("tags", [])}
        by_tag = {name: [] for name in tags}
        for path, item in document["paths"].items():
            for method in METHODS:
                if method in item:
                    op = item[method]
                    entry = (path, method, op, item.get("parameters", []))
                    by_tag.setdefault((op.get("tags") or ["other"])[0], []).append(entry)
        nav = []
        main = [f"<h1>{esc(info['title'])} <small>{esc(info['version'])}</small></h1>", prose(info.get("description"))]
        main.append('<p>The same as data: <a href="openapi.json">openapi.json</a></p>')
        for name, entries in by_tag.items():
            nav.append(f"<b>{esc(name)}</b>")
            main.append(f'<h2 id="tag-{esc(name)}">{esc(name)}</h2>{prose(tags.get(name))}')
            for path, method, op, shared in entries:
                label = f'<span class="m {method}">{method.upper()}</span>{esc(path)}'
                nav.append(f'<a href="#{esc(op["operationId"])}">{label}</a>')
                main.append(self.operation(path, method, op, shared))
        nav.append('<b>reference</b><a href="#schemas">Schemas</a><a href="#errors">Error codes</a>')
        nav.append('<a href="#configuration">Configuration</a>')
        main.append('<h2 id="schemas">Schemas</h2>')
        for name, schema in document.get("components", {}).get("schemas", {}).items():
            main.append(f'<h3 id="schema-{esc(name)}">{esc(name)}</h3>{prose(schema.get("description"))}')
            fields = self.properties(schema)
            if name == "ErrorCode":
                fields = '<p>See <a href="#errors">error codes</a>.</p>'
            main.append(fields or f"<p>{self.type_of(schema)}</p>")
        rows = [
            [f'<code id="{esc(code)}">{esc(code)}</code>', esc(status), esc(title)] for code, status, title in self.errors
        ]
        main.append('<h2 id="errors">Error codes</h2>' + table(["code", "status", "meaning"], rows))
        main.append('<h2 id="configuration">Configuration</h2>' + MARK)
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f"<title>{esc(info['title'])}: API reference</title><style>{STYLE}</style></head>"
            f"<body><nav>{''.join(nav)}</nav><main>{''.join(main)}</main></body></html>\n"
        )


def read_errors(path):
    with open(path, encoding="utf-8") as tsv:
        lines = [line.rstrip("\n") for line in tsv]
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def main():
    source, errors, out = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        document = yaml.safe_load(file)
    head, tail = Page(document, read_errors(errors)).html().split(MARK)
    with open(out, "w", encoding="utf-8") as file:
        file.write("/* Made from api/openapi.yaml and api/errors.tsv. */\n#include \"api/openapi.h\"\n\n")
        file.write(embed.array("docs_head", head.encode()))
        file.write(embed.array("docs_tail", tail.encode()))


main()
