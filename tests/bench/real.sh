#!/bin/sh
# Real data through the real service, checked to the penny by other means.
#
#   tests/bench/real.sh [FOLDER]
#
# FOLDER (default: ../shared/data) holds public data sets, whose licences forbid to ship them: parts
# whose file is missing are skipped, and said to be. Prints receipts, counts by result, reports,
# times; exits with 1 when any sum differs or `accord verify` finds a fault. Everything it makes
# stays below build/real.
set -eu
cd "$(dirname "$0")/../.."
data=${1:-../shared/data}
work=build/real
failures=0

say() { printf '== %s\n' "$*"; }
fail() {
    printf 'WRONG: %s\n' "$*"
    failures=$((failures + 1))
}

missing=
for tool in curl python3 sqlite3 xz; do
    command -v "$tool" >/dev/null || missing="$missing $tool"
done
[ -z "$missing" ] || {
    say "needed and not there:$missing"
    exit 1
}

./dev build >/dev/null
accord=build/release/accord
rm -rf "$work"
mkdir -p "$work"
export ACCORD_DATABASE="sqlite:$work/accord.db"
export ACCORD_LISTEN=127.0.0.1:0
export ACCORD_LOG_FILE="$work/accord.log"
"$accord" migrate 2>/dev/null
operator=$("$accord" key create --operator 2>/dev/null)
: >"$ACCORD_LOG_FILE"
"$accord" serve &
server=$!
trap 'kill "$server" 2>/dev/null || :' EXIT
address=
for _ in $(seq 100); do
    address=$(sed -n '/"event":"ready"/s/.*"address":"\([^"]*\)".*/\1/p' "$ACCORD_LOG_FILE")
    [ -z "$address" ] || break
    sleep 0.1
done
[ -n "$address" ] || {
    cat "$ACCORD_LOG_FILE"
    exit 1
}
url=http://$address

# call KEY METHOD PATH [curl option...]: prints the answer; the key goes by file, not by argument.
call() {
    printf 'header = "Authorization: Bearer %s"\n' "$1" >"$work/curl.conf"
    method=$2
    path=$3
    shift 3
    curl -sS -K "$work/curl.conf" -X "$method" "$@" "$url$path"
}

# field NAME: of the JSON object on standard input.
field() { python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

# partner ID NAME ROLE CURRENCY: creates it and prints a key of it.
partner() {
    call "$operator" POST /v1/partners -H 'Content-Type: application/json' -d \
        "{\"id\":\"$1\",\"name\":\"$2\",\"roles\":[\"$3\"],\"currency\":\"$4\",\"time_zone\":\"UTC\"}" >/dev/null
    call "$operator" POST "/v1/partners/$1/keys" -H 'Content-Type: application/json' -d \
        '{"scopes":["catalog:read","catalog:write","events:read","events:write","agreements:read","agreements:write","revenue:read","statements:read","statements:write"]}' |
        field secret
}

clock() { python3 -c 'import time; print(f"{time.monotonic():.3f}")'; }
since() { python3 -c 'import sys,time; print(f"{time.monotonic()-float(sys.argv[1]):.1f} s")' "$1"; }

# import KEY FILE PARAMETERS: a catalog as it is; prints the receipt's counts.
import() {
    began=$(clock)
    receipt=$(call "$1" POST "/v1/catalogs?$3" -H 'Content-Type: text/csv' --data-binary "@$2")
    id=$(printf '%s' "$receipt" | field id)
    state=staged
    while [ "$state" = staged ] || [ "$state" = applying ]; do
        receipt=$(call "$1" GET "/v1/catalogs/$id")
        state=$(printf '%s' "$receipt" | field state)
    done
    printf '%s' "$receipt" | python3 -c '
import collections, json, sys
receipt = json.load(sys.stdin)
print(receipt["state"], json.dumps(receipt["counts"]))
for code, count in collections.Counter(p["code"] for p in receipt["problems"]).most_common():
    print(f"   {count} x {code} among the first 100 problems")'
    say "imported in $(since "$began")"
    [ "$state" = applied ] || fail "the import is $state"
}

# post KEY PATH FILE...: batches of facts; prints counts by result.
post() {
    key=$1
    path=$2
    shift 2
    began=$(clock)
    for body in "$@"; do
        call "$key" POST "$path" -H 'Content-Type: application/x-ndjson' --data-binary "@$body"
        echo
    done >"$work/answers"
    python3 - "$work/answers" <<'END'
import collections, json, sys
counts, codes = collections.Counter(), collections.Counter()
for line in open(sys.argv[1], encoding="utf-8"):
    answer = json.loads(line)
    for name in ("accepted", "duplicate", "conflict", "rejected"):
        counts[name] += answer[name]
    codes.update(r["code"] for r in answer["results"] if "code" in r)
print(dict(counts), dict(codes))
END
    say "posted in $(since "$began")"
}

if [ -e "$data/udemy_courses.csv" ]; then
    say "udemy_courses.csv: a catalog as it is, with a column map"
    key=$(partner udemy Udemy provider USD)
    import "$key" "$data/udemy_courses.csv" "currency=USD&columns=course_id:course_id,title:course_title,url:url,price:price,level:level,duration_hours:content_duration,subjects:subject,enrolments:num_subscribers"
    want=$(python3 -c '
import csv, sys
print(len({r["course_id"] for r in csv.DictReader(open(sys.argv[1], encoding="utf-8-sig"))}))' "$data/udemy_courses.csv")
    say "distinct ids in the file: $want"
else
    say "skipped: udemy_courses.csv is not there"
fi

if [ -e "$data/netease_study163_catalog.csv.xz" ]; then
    say "netease_study163_catalog.csv: Chinese, CNY; the search that found a product is left out"
    xz -dc "$data/netease_study163_catalog.csv.xz" >"$work/netease.csv"
    key=$(partner netease 网易云课堂 provider CNY)
    import "$key" "$work/netease.csv" "currency=CNY&language=zh&columns=course_id:productId,title:productName,summary:description,instructors:lectorName,price:originalPrice,rating:score,enrolments:learnerCount,-:query"
else
    say "skipped: netease_study163_catalog.csv.xz is not there"
fi

if [ -e "$data/icourse163_ratings.csv.xz" ]; then
    say "icourse163_ratings.csv: feedback of a provider about its own courses"
    xz -dc "$data/icourse163_ratings.csv.xz" >"$work/ratings.csv"
    python3 tests/bench/real_convert.py ratings "$work/ratings.csv" "$work/ratings"
    key=$(partner icourse163 中国大学MOOC provider CNY)
    import "$key" "$work/ratings/icourse163.csv" mode=delta
    post "$key" /v1/feedback "$work"/ratings/ratings-*.ndjson
    # The live rating of a learner is the latest one by (time, id); compare every course's histogram.
    python3 - "$work/ratings.csv" >"$work/ratings.want" <<'END'
import collections, csv, sys
latest = {}
for row in csv.DictReader(open(sys.argv[1], encoding="utf-8")):
    if float(row["mark"]) not in (1, 2, 3, 4, 5):
        continue
    key = row["course_id"], row["user_hash"]
    place = int(row["gmt_modified_ms"]) // 1000, row["comment_id"].encode(), int(float(row["mark"]))
    latest[key] = max(latest.get(key, place), place)
counts = collections.Counter((course, place[2]) for (course, _), place in latest.items())
for course in sorted({course for course, _ in counts}):
    print(course, *(counts[course, stars] for stars in range(1, 6)))
END
    printf '%s' "$key" >"$work/key"
    python3 - "$url" "$work" >"$work/ratings.have" <<'END'
import http.client, json, pathlib, sys
url, work = sys.argv[1], pathlib.Path(sys.argv[2])
service = http.client.HTTPConnection(url.removeprefix("http://"))
key = {"Authorization": "Bearer " + (work / "key").read_text()}
for line in (work / "ratings.want").read_text().splitlines():
    course = line.split()[0]
    service.request("GET", f"/v1/courses/icourse163/{course}/feedback?reviews=0", headers=key)
    print(course, *json.load(service.getresponse())["ratings"]["histogram"].values())
END
    rm "$work/key"
    if cmp -s "$work/ratings.want" "$work/ratings.have"; then
        say "the histograms of $(wc -l <"$work/ratings.want") courses agree"
    else
        fail "histograms differ: $(diff "$work/ratings.want" "$work/ratings.have" | head -n 5)"
    fi
else
    say "skipped: icourse163_ratings.csv.xz is not there"
fi

if [ -e "$data/uci_online_retail.csv.xz" ]; then
    say "uci_online_retail.csv: goods stand for courses, an invoice is an order, C... invoices are refunds"
    xz -dc "$data/uci_online_retail.csv.xz" >"$work/retail.csv"
    python3 tests/bench/real_convert.py retail "$work/retail.csv" "$work/retail"
    goods=$(partner goods 'Goods Ltd' provider GBP)
    retail=$(partner retail 'Online Retail' channel GBP)
    import "$goods" "$work/retail/goods.csv" mode=full
    json='Content-Type: application/json'
    call "$goods" POST /v1/agreements -H "$json" -d '{"id":"goods-retail","name":"Goods in the shop",
        "parties":["goods","retail"],"scope":{"providers":["goods"],"channels":["retail"]},
        "effective":{"from":"2010-01-01T00:00:00Z"},"currency":"GBP",
        "terms":[{"kind":"share","payee":"goods","share_ppm":700000},{"kind":"residual","payee":"retail"}]}' >/dev/null
    call "$goods" POST /v1/agreements/goods-retail/propose -H "$json" -d '{"version":1}' >/dev/null
    call "$goods" POST /v1/agreements/goods-retail/sign -H "$json" -d '{"version":1}' >/dev/null
    call "$retail" POST /v1/agreements/goods-retail/sign -H "$json" -d '{"version":1}' >/dev/null
    say "refunds first, half of them before their orders: the order of arrival changes nothing"
    post "$retail" /v1/orders "$work"/retail/refunds-*.ndjson
    post "$retail" /v1/orders "$work"/retail/orders-*.ndjson

    sqlite3 :memory: ".import --csv $work/retail.csv raw" ".read tests/bench/real_retail.sql" >"$work/retail.want"
    for month in $(seq -f 2010-%02.0f 12 12) $(seq -f 2011-%02.0f 1 12); do
        call "$goods" GET "/v1/revenue?period=$month"
        echo
    done >"$work/reports"
    python3 - "$work/reports" >"$work/retail.have" <<'END'
import json, sys
excess = 0
for line in open(sys.argv[1], encoding="utf-8"):
    report = json.loads(line)
    for total in report["totals"]:
        print(report["period"], *(total[n]["amount"] for n in ("gross", "refunded", "net", "own")), sep="|")
    excess += sum(h["gross"]["amount"] for h in report["held"] if h["reason"] == "excess_refund")
print("excess", excess, sep="|")
END
    grep -v '^orders\|^rejected' "$work/retail.want" >"$work/retail.sums"
    say "month | gross | refunded | net | goods' 70 %, in pence"
    cat "$work/retail.have"
    if cmp -s "$work/retail.sums" "$work/retail.have"; then
        say "every sum equals that of the raw file, to the penny"
    else
        fail "sums differ (< raw file, > report): $(diff "$work/retail.sums" "$work/retail.have")"
    fi
    grep '^orders\|^rejected' "$work/retail.want"
    say "the report of the last full month"
    call "$goods" GET "/v1/revenue?period=2011-11" | python3 -m json.tool --no-ensure-ascii
else
    say "skipped: uci_online_retail.csv.xz is not there"
fi

began=$(clock)
if "$accord" verify; then
    say "accord verify agrees, in $(since "$began")"
else
    fail "accord verify found a fault"
fi
kill -TERM "$server"
wait "$server" || fail "the service stopped with an error"
trap - EXIT
say "database: $(du -sh "$work/accord.db" | cut -f1)"
if [ "$failures" != 0 ]; then
    say "$failures wrong"
    exit 1
fi
say "all is well"
