#!/bin/sh
# Writes api/examples/answers/ anew: what this program answers to the requests of the example partnership, on
# fresh books. `tools/record-examples.sh build/release/accord`
set -eu
accord=$PWD/$1
examples=$(cd "$(dirname "$0")/../api/examples" && pwd)
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid"; rm -rf "$work"' EXIT
export ACCORD_DATABASE="sqlite:$work/accord.db" ACCORD_LISTEN=127.0.0.1:0 ACCORD_LOG_FILE="$work/log"
umask 077
echo "operator $("$accord" key create --operator 2>/dev/null)" >"$work/keys"
"$accord" serve &
pid=$!
address=
while [ -z "$address" ]; do
    sleep 0.1
    kill -0 "$pid"
    address=$(sed -n '/"ready"/s/.*"address": *"\([^"]*\)".*/\1/p' "$work/log" 2>/dev/null || :)
done
mkdir "$work/answers"
"$examples/seed.sh" "http://$address" "$work/keys" "$work/answers"
for answer in "$work/answers"/*.json; do
    python3 -m json.tool --no-ensure-ascii --indent 2 "$answer" >"$examples/answers/$(basename "$answer")"
done
kill "$pid"
wait "$pid"
pid=
