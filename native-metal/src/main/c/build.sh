#!/bin/sh
# build.sh OBJECTS CLASSES SKIP: builds the cpu engine and espalier-check with this machine's C compiler and make, and puts the library under JNA's name for
# the machine into CLASSES. Where there is no compiler the build goes on without it; a compiler that fails ends the build.
set -e
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

case "$(uname -s) $(uname -m)" in
  "Linux x86_64") name=linux-x86-64 ;;
  "Linux aarch64") name=linux-aarch64 ;;
  "Darwin arm64") name=darwin-aarch64 ;;
  "Darwin x86_64") name=darwin-x86-64 ;;
  *) without "no code for $(uname -s) on $(uname -m)" ;;
esac

mkdir -p "$objects" "$classes/$name"
make -s -j "$(getconf _NPROCESSORS_ONLN)" -C "$(dirname "$0")" OUT="$(cd "$objects" && pwd)" engine check
for library in "$objects"/libespalier-cpu.*; do
  cp -p "$library" "$classes/$name/new" # a process that runs the old one keeps it
  mv -f "$classes/$name/new" "$classes/$name/${library##*/}"
done
