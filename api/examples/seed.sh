#!/bin/sh
# Creates the example partnership through the public API, or sends its reads again.
#
#   seed.sh URL KEYS [ANSWERS]
#
# KEYS is a file of lines "name secret" that has the operator's; the partners' are added to it. It may be
# interrupted and run again: what is there already stays as it is. With ANSWERS every answer is kept as
# a file in that folder.
set -eu
url=$1
keys=$2
answers=${3:-}
here=$(dirname "$0")

key_of() { sed -n "s/^$1 //p" "$keys"; }

# keep_key NAME ANSWER: adds the secret of a created key.
keep_key() {
    secret=$(sed -n 's/.*"secret": *"\(accord_[a-z]*_[A-Za-z0-9_-]*\)".*/\1/p' "$2")
    [ -n "$secret" ] || { echo "seed: no secret in the answer" >&2; exit 1; }
    echo "$1 $secret" >>"$keys"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tab=$(printf '\t')
grep -v '^#' "$here/steps.tsv" | while IFS="$tab" read -r name key method path request type; do
    case $name in
    key-*) [ -z "$(key_of "${name#key-}")" ] || continue ;;
    esac
    printf 'header = "Authorization: Bearer %s"\n' "$(key_of "$key")" >"$work/curl"
    if [ "$request" = - ]; then
        set --
    else
        set -- -H "Content-Type: $type" --data-binary "@$here/requests/$request"
    fi
    # The key goes by file: a command line is for everybody to read.
    status=$(curl -sS -K "$work/curl" -X "$method" -o "$work/answer" -w '%{http_code}' "$@" "$url$path")
    case $status in
    2?? | 409) ;; # 409: it is there already
    *)
        echo "seed: $method $path answered $status:" >&2
        cat "$work/answer" >&2
        exit 1
        ;;
    esac
    case $name in
    key-*) keep_key "${name#key-}" "$work/answer" ;;
    esac
    # A secret is shown once, to whom it is for; not in a file of examples.
    [ -z "$answers" ] ||
        sed 's/"accord_\([a-z]*\)_[A-Za-z0-9_-]*"/"accord_\1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"/' \
            "$work/answer" >"$answers/$name.json"
done
