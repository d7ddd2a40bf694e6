#!/bin/sh
# build.sh OBJECTS CLASSES SKIP: builds the cpu engine and espalier-check with this machine's C compiler and make, and puts the library under JNA's name for
# the machine into CLASSES. Where there is no compiler the build goes on without it; a compiler that fails ends the build.
set -e
. "$(dirname "$0")/../native.sh"
objects=$1
classes=$2

without() {
  echo "native-metal: $1: the cpu engine is left out, and the reference engine runs"
  rm -f "$classes"/*/libespalier-cpu.* # of an earlier build
  exit 0
}

[ "${3:-false}" = false ] || without "skipNative is $3"
# On a Mac without the command line tools both are there and fail.
"${CC:-cc}" --version > /dev/null 2>&1 || without "no C compiler"
make --version > /dev/null 2>&1 || without "no make"

name=$(machine)
[ -n "$name" ] || without "no code for $(uname -s) on $(uname -m)"

mkdir -p "$objects"
make -s -j "$(getconf _NPROCESSORS_ONLN)" -C "$(dirname "$0")" OUT="$(cd "$objects" && pwd)" engine check
put "$classes/$name" "$objects"/libespalier-cpu.*
