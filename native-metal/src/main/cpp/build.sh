#!/bin/sh
# build.sh DIRECTORY CLASSES SKIP VERSION: fetches MLX for this machine's processor with pip into DIRECTORY/mlx, builds the mlx engine against it with the machine's
# C++ compiler, and puts the library under JNA's name for the machine into CLASSES. Where something is missing the build goes on without it, and its tests are skipped.
set -e
. "$(dirname "$0")/../native.sh"
directory=$1
classes=$2
version=$4

without() {
  echo "native-metal: $1: the mlx engine is left out"
  rm -f "$classes"/*/libespalier-mlx.* # of an earlier build
  exit 0
}

[ "${3:-false}" = false ] || without "skipNative is $3"
name=$(machine)
case "$name" in
  linux-*) wheel=mlx-cpu ;;
  darwin-aarch64) wheel=mlx-metal ;;
  *) without "there is no MLX for $(uname -s) on $(uname -m)" ;;
esac
"${CXX:-c++}" --version > /dev/null 2>&1 || without "no C++ compiler"
make --version > /dev/null 2>&1 || without "no make"

mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
if [ ! -e "$directory/mlx/.$version" ]; then
  python3 --version > /dev/null 2>&1 || without "no Python to fetch MLX with"
  rm -rf "$directory/mlx"
  python3 -m pip install --quiet --disable-pip-version-check --no-deps --target "$directory/mlx" "$wheel==$version" > "$directory/pip.log" 2>&1 \
    || without "$wheel $version cannot be fetched ($(tail -n 1 "$directory/pip.log"))"
  touch "$directory/mlx/.$version"
fi
make -s -j "$(getconf _NPROCESSORS_ONLN)" -C "$(dirname "$0")" OUT="$directory/cpp" MLX="$directory/mlx" engine
put "$classes/$name" "$directory"/cpp/libespalier-mlx.*
