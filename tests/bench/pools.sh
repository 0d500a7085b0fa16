#!/bin/sh
# What a million clicks of real learners earn whom: pools of one population by three methods, side by
# side, closed month by month while the usage arrives, some of it late.
#
#   tests/bench/pools.sh [FOLDER]
#
# FOLDER (default: ../shared/data) holds public data sets, whose licences forbid to ship them. Exits
# with 1 when any amount is another than the one computed from the raw file. Everything it makes stays
# below build/pools.
set -eu
cd "$(dirname "$0")/../.."
data=${1:-../shared/data}
work=build/pools

say() { printf '== %s\n' "$*"; }

missing=
for tool in python3 xz; do
    command -v "$tool" >/dev/null || missing="$missing $tool"
done
[ -z "$missing" ] || {
    say "needed and not there:$missing"
    exit 1
}
if [ ! -e "$data/oulad_clicks.tsv.xz" ] || [ ! -e "$data/oulad_registration.csv.xz" ]; then
    say "skipped: oulad_clicks.tsv.xz or oulad_registration.csv.xz is not there"
    exit 0
fi

./dev build >/dev/null
rm -rf "$work"
mkdir -p "$work"
xz -dc "$data/oulad_clicks.tsv.xz" >"$work/clicks.tsv"
xz -dc "$data/oulad_registration.csv.xz" >"$work/registrations.csv"
python3 tests/bench/pools_replay.py build/release/accord "$work"
say "all is well"
