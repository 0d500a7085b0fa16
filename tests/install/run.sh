#!/bin/sh
# Installs a build into an empty folder and builds example.c as a partner would, knowing of Accord only what
# pkg-config says: `run.sh BUILD_DIR CC`.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$1
cc=$2
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

meson install -C "$build" --no-rebuild --quiet --destdir "$root"
pc=$(find "$root" -name accord.pc)
export PKG_CONFIG_PATH="${pc%/*}" PKG_CONFIG_SYSROOT_DIR="$root"
# shellcheck disable=SC2046
"$cc" -std=c17 -Wall -Wextra -Werror -o "$root/example" "$here/example.c" $(pkg-config --cflags --libs accord)
"$root/example" >"$root/got"
cat >"$root/want" <<END
prv-a 2583 = 2583.333333
prv-b 2510 = 2509.52381, rounded up
prv-c 4207 = 4207.142857
END
diff "$root/want" "$root/got"
