#!/bin/sh
# cross.sh DIRECTORY: builds the cpu engine for the other platforms with zig, which pip fetches, and checks that each library exports espalier.h.
# Builds espalier-check for every set of instructions that this machine can run or emulate; DIRECTORY/commands lists how they are run.
set -e
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")"

test -x "$out/zig/bin/python" || python3 -m venv "$out/zig"
"$out/zig/bin/pip" install --quiet --disable-pip-version-check ziglang==0.17.1
zig="$out/zig/bin/python -m ziglang cc -target"
jobs=$(getconf _NPROCESSORS_ONLN)
# zig names processors and features in its own way
dotprod="-mcpu=generic+dotprod+fullfp16"

library() { # JNA's name, zig's target
  make -s -j "$jobs" OUT="$out/$1" CC="$zig $2" FLAGS_dotprod="$dotprod" exports
  echo "native-metal: $1 exports every function of espalier.h"
}
library linux-x86-64 x86_64-linux-gnu
library linux-aarch64 aarch64-linux-gnu
library darwin-aarch64 aarch64-macos
library darwin-x86-64 x86_64-macos

commands=
if command -v qemu-aarch64 > /dev/null; then
  make -s -j "$jobs" OUT="$out/check-aarch64" CC="$zig aarch64-linux-musl" FLAGS_dotprod="$dotprod" EXTRA_LINK=-static "$out/check-aarch64/espalier-check"
  # a Cortex-A57 has no dot products of bytes
  commands="qemu-aarch64 $out/check-aarch64/espalier-check;qemu-aarch64 -cpu cortex-a57 $out/check-aarch64/espalier-check"
else
  echo "native-metal: there is no qemu-aarch64: the code for 64-bit ARM is built and not run"
fi
if [ "$(uname -m)" = x86_64 ]; then
  make -s -j "$jobs" OUT="$out/check-baseline" TARGETS=baseline "$out/check-baseline/espalier-check"
  make -s -j "$jobs" OUT="$out/check-avx2" TARGETS="baseline avx2" "$out/check-avx2/espalier-check"
  commands="${commands:+$commands;}$out/check-baseline/espalier-check;$out/check-avx2/espalier-check"
fi
echo "$commands" > "$out/commands"

# The expert kernels of the mlx engine, by compilers for Metal's and CUDA's languages
../../test/cpp/cross.sh "$out/experts" "$out/../mlx"
