#!/bin/sh
# compile.sh FOLDER OUTPUT: builds the mlx engine with this machine's C++ compiler against the MLX that lies in FOLDER/mlx. OUTPUT is the library.
set -e
without() {
  echo "compile.sh: $1"
  exit 1
}
"${CXX:-c++}" --version > /dev/null 2>&1 || without "there is no C++ compiler (${CXX:-c++}); on a Mac, xcode-select --install brings it"
make --version > /dev/null 2>&1 || without "there is no make"
folder=$(cd "$1" && pwd)
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
make -s -C "$(dirname "$0")" OUT="$objects" MLX="$folder" engine 2>&1
cp "$objects"/libespalier-mlx.* "$2"
