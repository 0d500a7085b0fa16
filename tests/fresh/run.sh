#!/bin/sh
# `./dev run` on a machine that has nothing: makes a bare Debian root from this machine's own apt sources,
# copies the source into it, runs `./dev run` there twice, reads the report from inside. Needs root.
set -eu
cd "$(dirname "$0")/../.."

say() { printf '== %s\n' "$*" >&2; }
fail() {
    say "$*"
    [ ! -e "$root/tmp/run.log" ] || tail -n 50 "$root/tmp/run.log" >&2
    echo "0 passed, 1 failed"
    exit 1
}

root=$PWD/build/fresh
if [ "$(id -u)" != 0 ]; then
    say "this needs root (it makes a root of its own with chroot); run: sudo ./dev test --fresh"
    exit 1
fi
if ! command -v mmdebstrap >/dev/null; then
    say "installing: mmdebstrap"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mmdebstrap >/dev/null
fi

# Mounts and processes end with this script: a mount and a process namespace of its own.
if [ "${1:-}" != --inside ]; then
    exec unshare --mount --propagation private --pid --fork --kill-child --mount-proc \
        "$PWD/tests/fresh/run.sh" --inside
fi

started=$(date +%s)
# shellcheck disable=SC1091
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
sources=
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    if [ -f "$file" ] && grep -q "/debian" "$file" && grep -q "$suite" "$file"; then
        sources="$sources $file"
    fi
done
[ -n "$sources" ] || fail "no apt source of Debian $suite on this machine"
rm -rf "$root"
mkdir -p build
say "a bare Debian $suite in build/fresh"
# shellcheck disable=SC2086
mmdebstrap --quiet --mode=root --variant=minbase --dpkgopt=force-unsafe-io "$suite" "$root" $sources
# The way to the archive, if it leads through a proxy.
apt-config dump | grep -E '^Acquire::(http|https)::[Pp]roxy ' >"$root/etc/apt/apt.conf.d/99proxy" || :
cp /etc/resolv.conf /etc/hosts "$root/etc/"
for mount in dev proc; do
    mount --rbind "/$mount" "$root/$mount"
done

say "./dev run in it"
mkdir "$root/accord"
# shellcheck disable=SC2016
git ls-files -z --cached --others --exclude-standard |
    xargs -0 sh -c 'for f; do [ ! -e "$f" ] || printf "%s\0" "$f"; done' sh |
    tar --null -T - -cf - | tar -xf - -C "$root/accord"

# Ctrl-C must reach what runs in the background of this script too.
inside_exec() {
    exec chroot "$root" env -i --default-signal=INT PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"
}
inside() { (inside_exec "$@"); }

# run_once: starts `./dev run` and waits until it says where it is.
run_once() {
    inside_exec ACCORD_LISTEN=127.0.0.1:0 sh -c 'cd /accord && exec ./dev run' >"$root/tmp/run.log" 2>&1 &
    pid=$!
    url=
    while [ -z "$url" ]; do
        kill -0 "$pid" 2>/dev/null || fail "./dev run ended"
        sleep 1
        url=$(sed -n 's/^== Accord is running at //p' "$root/tmp/run.log")
    done
}

# stop_once: as Ctrl-C does.
stop_once() {
    kill -INT "$pid" 2>/dev/null || kill -TERM "$pid"
    status=0
    wait "$pid" || status=$?
    [ "$status" = 0 ] || fail "./dev run ended with status $status"
}

report() {
    # shellcheck disable=SC2016
    inside sh -c 'curl -sS --fail -H "Authorization: Bearer $(sed -n "s/^coursera //p" /accord/data/keys)" "$1/v1/revenue?period=2025-01"' sh "$url"
}

run_once
first=$(report) || fail "no report"
case $first in
*'"agreement":"coursera-on-udemy"'*) ;;
*) fail "the report does not have the example: $first" ;;
esac
grep -q '"coursera-on-udemy"' "$root/tmp/run.log" || fail "./dev run did not print the report"
[ "$(stat -c %a "$root/accord/data/keys")" = 600 ] || fail "data/keys is not 0600"
stop_once
say "and again: it finds its data"
run_once
second=$(report) || fail "no report"
[ "$first" = "$second" ] || fail "the second report is another: $second"
stop_once
umount -l "$root/dev" "$root/proc"
rm -rf --one-file-system "$root"
say "$(($(date +%s) - started)) s"
echo "1 passed, 0 failed"
