#!/bin/sh
# Real sales settled by the real service under three agreements at once, closed month by month while
# they are replayed, and what closing costs in books of different size.
#
#   tests/bench/settle.sh [--huge] [FOLDER]
#
# FOLDER (default: ../shared/data) holds public data sets, whose licences forbid to ship them: the
# replay is skipped, and said to be, where they are missing. --huge goes on to books of ten million
# orders. Exits with 1 when any sum, hash or chain is wrong. Everything it makes stays below
# build/settle.
set -eu
cd "$(dirname "$0")/../.."
huge=
if [ "${1:-}" = --huge ]; then
    huge=--huge
    shift
fi
data=${1:-../shared/data}
work=build/settle
here=tests/bench

say() { printf '== %s\n' "$*"; }

missing=
for tool in python3 sqlite3 xz; do
    command -v "$tool" >/dev/null || missing="$missing $tool"
done
[ -z "$missing" ] || {
    say "needed and not there:$missing"
    exit 1
}

./dev build >/dev/null
rm -rf "$work"
mkdir -p "$work"

if [ -e "$data/uci_online_retail.csv.xz" ] && [ -e "$data/ecb_reference_rates.csv.xz" ]; then
    xz -dc "$data/uci_online_retail.csv.xz" >"$work/retail.csv"
    xz -dc "$data/ecb_reference_rates.csv.xz" >"$work/rates.csv"
    python3 $here/real_convert.py retail "$work/retail.csv" "$work"
    sqlite3 :memory: ".import --csv $work/retail.csv raw" ".read $here/real_retail.sql" \
        ".cd $work" ".read ../../$here/settle_retail.sql" >/dev/null
    python3 $here/settle_replay.py build/release/accord "$work"
else
    say "skipped: uci_online_retail.csv.xz or ecb_reference_rates.csv.xz is not there"
fi

python3 $here/settle_cost.py $huge build/release/accord "$work"
say "all is well"
