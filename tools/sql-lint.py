#!/usr/bin/env python3
"""Prepares every statement of src/ on SQLite and on PostgreSQL, and refuses what differs between them.

Statements are what DB_SQL(name, "…") declares. Both databases are fresh and get the migrations
first. PostgreSQL is started for this run only, from the machine's packages, in a temporary folder,
behind a Unix socket, and never as root. The rules stand in ARCHITECTURE.md, "SQL".

    sql-lint.py [--postgres required|auto|no]
"""

import argparse
import glob
import os
import pathlib
import pwd
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Tokens of migrations; the dialects of src/db/*.c.
SQLITE = {
    "int64": "INTEGER",
    "bytes": "BLOB",
    "text": "TEXT",
    "strict": "STRICT",
    "clustered": "STRICT, WITHOUT ROWID",
}
POSTGRES = {"int64": "BIGINT", "bytes": "BYTEA", "text": 'TEXT COLLATE "C"', "strict": "", "clustered": ""}

# Statements of these files speak to one engine only.
ENGINE_FILES = re.compile(r"src/db/(sqlite|postgres)\w*\.c$")

# (what, why), against the statement with its string literals emptied.
FORBIDDEN = [
    (r"\bI?LIKE\b|\bGLOB\b|\bREGEXP\b|\bSIMILAR\b", "pattern matching differs; search has its own tables"),
    (r"\bFOR\s+(UPDATE|SHARE|NO\s+KEY)\b", "row locks do not exist on SQLite; guard by a conditional UPDATE"),
    (r"\bjsonb?_\w+|->", "JSON functions differ"),
    (r"\bAS\s+(NOT\s+)?(MATERIALIZED\s+)?\(\s*(INSERT|UPDATE|DELETE)\b", "a CTE must not write"),
    (r"\bAUTOINCREMENT\b|\bIDENTITY\b|\b(BIG)?SERIAL\b|\bNEXTVAL\b", "identity columns leave gaps that readers see"),
    (r"\b(OID|ROWID|CTID)\b", "row ids belong to the engine"),
    (r"\bINSERT\s+OR\b|\bREPLACE\s+INTO\b|\bUPDATE\s+OR\b", "only SQLite has it; use ON CONFLICT"),
    (r"\bDO\s+NOTHING\s+RETURNING\b", "returns other rows on each engine"),
    (r"\bOFFSET\b", "lists go on from a key"),
    (r"\bLIMIT\s+(?!\$\d+\b|[1-9]\d*\b|CAST\s*\(\s*\$\d+\s+AS\s+BIGINT)", "a limit is a parameter or a positive number, never NULL"),
    (r"\b(IFNULL|NVL|IIF|TOTAL|GROUP_CONCAT|STRING_AGG|GREATEST|LEAST|PRINTF|FORMAT|INSTR|STRPOS|TYPEOF|HEX|UNHEX|ENCODE|DECODE)\s*\(", "this function is not on both engines"),
    (r"\b(RANDOM|NOW|DATE|TIME|DATETIME|JULIANDAY|STRFTIME|UNIXEPOCH)\s*\(|\bCURRENT_(TIMESTAMP|DATE|TIME)\b", "time and chance are parameters"),
    (r"\bAVG\s*\(", "an average is not an integer"),
    (r"\bCAST\s*\([^()]*\bAS\s+(?!BIGINT\b|TEXT\b)\w+", "cast to BIGINT or TEXT only: other names mean other things on SQLite"),
    (r"\$\d+\s+IS\s+(NOT\s+)?NULL\b", "a nullable parameter is cast: CAST($1 AS TEXT) IS NULL"),
    (r"\bCOALESCE\s*\(\s*\$\d+", "a nullable parameter is cast: COALESCE(CAST($1 AS BIGINT), …)"),
    (r"\bIS\s+(NOT\s+)?(?!NULL\b|NOT\b|DISTINCT\b)[\w$]", "IS compares on SQLite only; use = or IS NOT DISTINCT FROM"),
    (r'"', "a name needs no quotes, and a text has single ones"),
    (r"`|\[", "names are not quoted"),
    (r"==|!=", "use = and <>"),
    (r"--|/\*", "a comment belongs into C: the literals are one line"),
    (r";", "one statement at a time"),
    (r"\?|[:@#][A-Za-z_]\w*", "placeholders are $1, $2 …"),
    (r"\b(INTEGER|INT|REAL|FLOAT|DOUBLE|NUMERIC|BLOB|BYTEA|BOOLEAN|VARCHAR)\b", "types are BIGINT and TEXT"),
    (r"\b(PRAGMA|VACUUM|ATTACH|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|CREATE|ALTER|DROP|SET\s+LOCAL|LISTEN|NOTIFY)\b", "this belongs to the engine or to a migration"),
    (r"\d\.\d|\d[eE]\d", "numbers are integers"),
]

SCHEMA_FORBIDDEN = [
    (r"\b(INTEGER|INT|BIGINT|BLOB|BYTEA|TEXT|REAL|NUMERIC|VARCHAR|BOOLEAN|TIMESTAMP)\b", "types are tokens: @int64 @bytes @text"),
    (r"\b(AUTOINCREMENT|IDENTITY|SERIAL|BIGSERIAL|REFERENCES|FOREIGN|DEFAULT|TRIGGER|GENERATED)\b", "not in this schema"),
]

# Statements that go through a whole table, or through what lies behind a key without a limit: for
# verify and background work, or because the table has few rows. No request may wait for one else.
WALKS = {
    "src/db/migrate.c": "sql_applied sql_version",
    "src/store/agreements.c": "sql_settling",
    "src/store/challenge_rounds.c": "sql_rounds_all sql_entries_missing",
    "src/store/check.c": "sql_counts sql_unbalanced",
    "src/store/entries.c": "sql_orphans sql_unmatched_count sql_head",
    "src/store/facts.c": "sql_with",
    "src/store/feedback.c": "sql_counts sql_all_reviews sql_facts sql_ratings",
    "src/store/pool_months.c": "sql_all",
    "src/store/pools.c": "sql_members",
    "src/store/postings.c": "sql_trial sql_sums",  # for the operator, as a job
    "src/store/periods.c": "sql_each",
    "src/store/reports.c": "sql_rows_all sql_shares_all sql_referrals",  # one step a version, then its range
    "src/store/rollups.c": "sql_publish sql_publish_shares sql_unstage sql_unstage_shares sql_each sql_each_share sql_staged sql_staged_shares",
    "src/store/windows.c": "sql_learners",
}

PARAMETER_TYPES = {"bigint", "text", "bytea"}
RESULT_TYPES = PARAMETER_TYPES | {"integer"}


class Lint:
    def __init__(self):
        self.wrong = []

    def fail(self, where, text):
        self.wrong.append(f"{where}: {text}")


class Statement:
    def __init__(self, where, name, sql):
        self.where, self.name, self.sql = where, name, sql
        self.parameters = sorted({int(n) for n in re.findall(r"\$(\d+)", self.bare())})

    def bare(self):
        """Without what stands inside string literals."""
        return re.sub(r"'(?:[^']|'')*'", "''", self.sql)


# ---- reading C ------------------------------------------------------------------------------------

TOKEN = re.compile(
    r'(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<char>\'(?:[^\'\\\n]|\\.)*\')'
    r"|(?P<word>[A-Za-z_]\w*)|(?P<space>(?:\s|\\\n)+)|(?P<other>.)",
    re.S,
)
ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "'": "'"}


def tokens(text):
    for found in TOKEN.finditer(text):
        if found.lastgroup not in ("comment", "space"):
            yield found.lastgroup, found.group(), text.count("\n", 0, found.start()) + 1


def unquote(literal):
    return re.sub(r"\\(.)", lambda m: ESCAPES.get(m.group(1), m.group(0)), literal[1:-1])


def join(parts):
    """The text of adjacent literals; None when there is anything else among them."""
    if not parts or any(kind != "string" for kind, _, _ in parts):
        return None
    return "".join(unquote(value) for _, value, _ in parts)


def defines_of(text):
    """The macros of a header, but for DB_SQL itself."""
    found = re.findall(r"^[ \t]*#[ \t]*define[ \t]+\w+(?:\\\n|[^\n])*", text, re.M)
    return [define for define in found if not re.search(r"\bDB_SQL\(", define)]


def preprocess(path, text, defines):
    """The file with its macros expanded, DB_SQL left; and the line of the source of each line.

    Headers are not read (some are made by the build): their macros are given instead.
    """
    compiler = os.environ.get("CC", "").split() or [shutil.which("cc") or shutil.which("gcc") or "clang"]
    source = re.sub(r"^[ \t]*#[ \t]*(include|error)\b[^\n]*", "", text, flags=re.M)
    source = "\n".join(defines) + f'\n#line 1 "{path}"\n' + source
    answer = subprocess.run(
        [*compiler, "-E", "-w", "-x", "c", "-"], input=source, text=True, encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
    )
    if answer.returncode != 0:
        sys.exit(f"sql-lint: {path}: the preprocessor: {answer.stderr}")
    lines, numbers, number, own = [], [], 0, False
    for line in answer.stdout.splitlines():
        marker = re.match(r'# (\d+) "(.*?)"', line)
        if marker:
            number, own = int(marker.group(1)), marker.group(2) == path
            continue
        if own:
            lines.append(line)
            numbers.append(number)
        number += 1
    return "\n".join(lines), numbers


def statements_of(path, text, defines, lint):
    if not re.search(r"\bDB_SQL\b", "".join(value for _, value, _ in tokens(text))):
        return
    expanded, numbers = preprocess(path, text, defines)
    words = list(tokens(expanded))
    for i, (kind, value, line) in enumerate(words):
        if kind != "word" or value != "DB_SQL":
            continue
        where = f"{path}:{numbers[line - 1]}"
        depth, parts, j = 1, [], i + 2
        while j < len(words) and depth > 0:
            depth += {"(": 1, ")": -1}.get(words[j][1], 0) if words[j][0] == "other" else 0
            if depth > 0:
                parts.append(words[j])
            j += 1
        sql = join(parts[2:]) if len(parts) > 2 and parts[1][1] == "," else None
        if sql is None:
            lint.fail(where, 'cannot read this statement: want DB_SQL(name, "literals")')
            continue
        yield Statement(where, parts[0][1], sql)


def check_source(path, text, lint):
    """SQL is declared, never built, and goes through db.h."""
    if path.startswith("src/db/"):
        return
    bare = "".join(
        value if kind != "string" else '""'
        for kind, value in (
            (found.lastgroup, found.group()) for found in TOKEN.finditer(text)
        )
        if kind != "comment"
    )
    for number, line in enumerate(bare.splitlines(), 1):
        if re.search(r"\b(sqlite3_\w+|PQ[a-z]\w+|db_script)\b", line):
            lint.fail(f"{path}:{number}", "only db/ speaks to an engine")
        if re.search(r"\bstruct\s+db_sql\b(?!\s*(\*|;|\w+\s*\())", line):
            lint.fail(f"{path}:{number}", "statements are declared by DB_SQL() only")


# ---- rules ----------------------------------------------------------------------------------------


def enclosing(sql, at):
    """Calls around a place, innermost first: (word before the parenthesis, what is inside)."""
    depth, i = 0, at - 1
    while i >= 0:
        if sql[i] == ")":
            depth += 1
        elif sql[i] == "(":
            if depth == 0:
                word = re.search(r"(\w*)\s*$", sql[:i]).group(1)
                end, inner = 1, i + 1
                while inner < len(sql) and end > 0:
                    end += {"(": 1, ")": -1}.get(sql[inner], 0)
                    inner += 1
                yield word.upper(), sql[i + 1 : inner - 1]
            else:
                depth -= 1
        i -= 1


def split_top(text):
    """Splits at commas outside parentheses."""
    items, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += {"(": 1, ")": -1}.get(c, 0)
        if c == "," and depth == 0:
            items.append(text[start:i])
            start = i + 1
    return items + [text[start:]]


def order_items(sql):
    for found in re.finditer(r"\bORDER\s+BY\b", sql, re.I):
        depth, end = 0, found.end()
        while end < len(sql):
            c = sql[end]
            depth += {"(": 1, ")": -1}.get(c, 0)
            if depth < 0 or (depth == 0 and re.match(r"\b(LIMIT|ROWS|RANGE|RETURNING|UNION|ON)\b", sql[end:], re.I)):
                break
            end += 1
        yield from split_top(sql[found.end() : end])


def check_rules(statement, nullable, lint):
    sql = statement.bare()
    where = f"{statement.where}: {statement.name}"
    for pattern, why in FORBIDDEN:
        found = re.search(pattern, sql, re.I)
        if found:
            lint.fail(where, f"{found.group().strip()!r}: {why}")
    if statement.parameters != list(range(1, len(statement.parameters) + 1)):
        lint.fail(where, f"placeholders must be $1 … ${len(statement.parameters)} without a gap, not {statement.parameters}")
    for found in re.finditer(r"\bSUM\s*\(", sql, re.I):
        if not any(word == "CAST" and re.search(r"\bAS\s+BIGINT\s*$", inner, re.I) for word, inner in enclosing(sql, found.start())):
            lint.fail(where, "a SUM is numeric on PostgreSQL: CAST(SUM(…) AS BIGINT)")
    for found in re.finditer(r"\b(MIN|MAX)\s*\(", sql, re.I):
        depth, end = 1, found.end()
        while end < len(sql) and depth > 0:
            depth += {"(": 1, ")": -1}.get(sql[end], 0)
            end += 1
        if len(split_top(sql[found.end() : end - 1])) > 1:
            lint.fail(where, f"{found.group(1)} of several values is SQLite's only; use CASE")
    if re.search(r"\bSELECT\b(?!.*\bWHERE\b).*\bON\s+CONFLICT\b", sql, re.I | re.S) and re.match(r"\s*(WITH|INSERT)\b", sql, re.I):
        lint.fail(where, "INSERT … SELECT … ON CONFLICT needs a WHERE to be read right by SQLite")
    for item in order_items(sql):
        column = re.match(r"\s*(?:\w+\.)?(\w+)\s*(?:ASC|DESC)?\s*$", item, re.I)
        if column and any(re.search(rf"\b{table}\b", sql) for table in nullable.get(column.group(1), ())):
            lint.fail(where, f"ORDER BY {column.group(1)} can be NULL: say NULLS FIRST")


# ---- engines --------------------------------------------------------------------------------------


def expand(script, dialect, where, lint):
    def value(found):
        if found.group(1) not in dialect:
            lint.fail(where, f"@{found.group(1)} is not a token")
            return ""
        return dialect[found.group(1)]

    return re.sub(r"@([a-z0-9]*)", value, script)


def migrations(lint):
    scripts = []
    for path in sorted((ROOT / "src/db/migrations").glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        name = str(path.relative_to(ROOT))
        for number, line in enumerate(text.splitlines(), 1):
            bare = re.sub(r"'(?:[^']|'')*'", "''", line.split("--")[0])
            for pattern, why in SCHEMA_FORBIDDEN:
                found = re.search(pattern, re.sub(r"@\w+", "", bare))
                if found:
                    lint.fail(f"{name}:{number}", f"{found.group()}: {why}")
        for found in re.finditer(r"^CREATE TABLE (\w+) \(.*?^\)(.*?);", text, re.M | re.S):
            if found.group(2).strip() not in ("@strict", "@clustered"):
                lint.fail(name, f"table {found.group(1)} is neither @strict nor @clustered")
        scripts.append((name, text))
    # The migrations' own table stands in the program.
    source = (ROOT / "src/db/migrate.c").read_text(encoding="utf-8")
    found = re.search(r"table_script\[\] = (.*?);", source, re.S)
    scripts.append(("src/db/migrate.c", join(list(tokens(found.group(1)))) + ";"))
    return scripts


def check_plan(db, statement, lint):
    """Rows are found by an index that knows how its keys begin; `staged` alone says nothing."""
    limited = re.search(r"\bLIMIT\b|^\s*WITH\b", statement.bare(), re.I)
    for _, _, _, step in db.execute("EXPLAIN QUERY PLAN " + statement.sql, {str(n): None for n in statement.parameters}):
        key = re.sub(r"\bstaged=\? ?(AND )?", "", step)
        walks = step.startswith("SCAN ") and step != "SCAN CONSTANT ROW" or step.startswith("SEARCH ") and "=?" not in key
        source, _, _ = statement.where.rpartition(":")
        if walks and not limited and statement.name not in WALKS.get(source, "").split():
            lint.fail(f"{statement.where}: {statement.name}", f"goes through all rows ({step}): it needs an index, a limit, or a place in WALKS")


def check_sqlite(scripts, statements, lint):
    """Returns the columns that can be NULL, and the tables that have them."""
    db = sqlite3.connect(":memory:")
    for name, script in scripts:
        try:
            db.executescript(expand(script, SQLITE, name, lint))
        except sqlite3.Error as error:
            lint.fail(name, f"SQLite: {error}")
    for statement in statements:
        try:
            db.execute("EXPLAIN " + statement.sql, {str(n): None for n in statement.parameters})
            check_plan(db, statement, lint)
        except (sqlite3.Error, sqlite3.Warning) as error:
            lint.fail(f"{statement.where}: {statement.name}", f"SQLite: {error}")
    nullable = {}
    for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
        for _, column, _, not_null, _, _ in db.execute(f"PRAGMA table_info({table})"):
            if not not_null:
                nullable.setdefault(column, set()).add(table)
    return nullable


class Postgres:
    """A server of its own for this run."""

    def __init__(self, bin_dir):
        self.bin = pathlib.Path(bin_dir)
        self.user = {}
        if os.geteuid() == 0:
            entry = None
            for name in ("postgres", "nobody"):
                try:
                    entry = pwd.getpwnam(name)
                    break
                except KeyError:
                    continue
            if entry is None:
                sys.exit("sql-lint: PostgreSQL does not run as root, and there is no user postgres or nobody")
            self.user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        self.dir = tempfile.mkdtemp(prefix="accord-sql-", dir="/tmp")
        if self.user:
            os.chown(self.dir, self.user["user"], self.user["group"])
        self.server = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def call(self, program, *arguments, **options):
        return subprocess.run(
            [str(self.bin / program), *arguments], cwd=self.dir, env=self.environment(), text=True, encoding="utf-8",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **self.user, **options,
        )

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": self.dir, "LC_ALL": "C.UTF-8", "PGCLIENTENCODING": "UTF8"}

    def start(self):
        made = self.call("initdb", "-D", "data", "-U", "accord", "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust", "--no-sync")
        if made.returncode != 0:
            sys.exit(f"sql-lint: initdb: {made.stdout}")
        with open(os.path.join(self.dir, "log"), "wb") as log:
            self.server = subprocess.Popen(
                [str(self.bin / "postgres"), "-D", "data", "-k", self.dir, "-c", "listen_addresses=", "-F", "-c", "shared_buffers=16MB"],
                cwd=self.dir, env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.user,
            )
        for _ in range(300):
            if self.call("pg_isready", "-h", self.dir, "-U", "accord").returncode == 0:
                return
            if self.server.poll() is not None:
                break
            time.sleep(0.1)
        sys.exit("sql-lint: PostgreSQL did not start: " + pathlib.Path(self.dir, "log").read_text(encoding="utf-8"))

    def psql(self, script):
        return self.call("psql", "-h", self.dir, "-U", "accord", "-d", "postgres", "-X", "-q", "-A", "-t", "-F", "|", "-f", "-", input=script)

    def __exit__(self, *_):
        if self.server is not None and self.server.poll() is None:
            self.server.send_signal(3)  # SIGQUIT: at once, without a checkpoint
            self.server.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def check_postgres(bin_dir, scripts, statements, lint):
    with Postgres(bin_dir) as server:
        for name, script in scripts:
            answer = server.psql("\\set ON_ERROR_STOP 1\nBEGIN;\n" + expand(script, POSTGRES, name, lint) + "\nCOMMIT;\n")
            if answer.returncode != 0:
                lint.fail(name, f"PostgreSQL: {answer.stdout.strip()}")
        script = "\\set VERBOSITY terse\n"
        for i, statement in enumerate(statements):
            script += f"\\echo @@{i}\nPREPARE s{i} AS {statement.sql};\n\\echo @error :ERROR :LAST_ERROR_MESSAGE\n"
            script += f"\\if :ERROR\n\\else\n{statement.sql} \\gdesc\n\\endif\n"
            script += f"SELECT '@types ' || parameter_types::text FROM pg_prepared_statements WHERE name = 's{i}';\n"
        script += "\\echo @@end\nSELECT current_setting('server_version');\n"
        output = server.psql(script).stdout
    parts = re.split(r"^@@(\w+)\n", output, flags=re.M)
    seen = dict(zip(parts[1::2], parts[2::2]))
    for i, statement in enumerate(statements):
        where = f"{statement.where}: {statement.name}"
        answer = seen.get(str(i), "")
        error = re.search(r"^@error (\w+) (.*)$", answer, re.M)
        if not error or error.group(1) != "false":
            lint.fail(where, "PostgreSQL: " + (error.group(2) if error else answer.strip() or "no answer"))
            continue
        types = re.search(r"^@types \{(.*)\}$", answer, re.M)
        for number, name in enumerate(filter(None, types.group(1).split(",")) if types else [], 1):
            if name.strip('"') not in PARAMETER_TYPES:
                lint.fail(where, f"PostgreSQL takes ${number} for {name}: cast it to BIGINT or TEXT")
        for line in answer.splitlines():
            column = re.fullmatch(r"([^@|]*)\|([a-z\" ]+(?:\[\])?)", line)
            if column and column.group(2) not in RESULT_TYPES:
                lint.fail(where, f"PostgreSQL answers {column.group(1)} as {column.group(2)}: cast it to BIGINT or TEXT")
    return seen.get("end", "?").strip().split(" ")[0]


def find_postgres():
    """The folder of initdb: Debian keeps it out of the path."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4].split(".")[0]))
    found = shutil.which("initdb")
    if found:
        folders.append(os.path.dirname(os.path.realpath(found)))
    folders = [path for path in folders if os.path.exists(os.path.join(path, "initdb")) and os.path.exists(os.path.join(path, "psql"))]
    return folders[-1] if folders else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--postgres", choices=("required", "auto", "no"), default="required")
    parser.add_argument("sources", nargs="*", help="instead of those of src/; for the lint's own test")
    options = parser.parse_args()

    lint = Lint()
    files = {}
    paths = [pathlib.Path(p) for p in options.sources] or sorted((ROOT / "src").rglob("*.[ch]"))
    for path in paths:
        name = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
        files[name] = path.read_text(encoding="utf-8")
    headers = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "src").rglob("*.h"))]
    defines = [define for text in headers for define in defines_of(text)]
    statements = []
    for name, text in files.items():
        check_source(name, text, lint)
        if not ENGINE_FILES.search(name):
            statements += statements_of(name, text, defines, lint)

    scripts = migrations(lint)
    nullable = check_sqlite(scripts, statements, lint)
    for statement in statements:
        check_rules(statement, nullable, lint)
    engines = f"SQLite {sqlite3.sqlite_version}"
    bin_dir = None if options.postgres == "no" else find_postgres()
    if bin_dir is not None:
        engines += f" and PostgreSQL {check_postgres(bin_dir, scripts, statements, lint)}"
    elif options.postgres == "required":
        sys.exit("sql-lint: PostgreSQL is not installed (Debian: postgresql); --postgres no leaves it out")
    if lint.wrong:
        print("\n".join(lint.wrong))
    print(f"sql-lint: {len(statements)} statements on {engines}, {len(lint.wrong)} wrong")
    return 1 if lint.wrong else 0


sys.exit(main())
