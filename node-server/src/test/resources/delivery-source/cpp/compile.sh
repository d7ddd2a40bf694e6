#!/bin/sh
# compile.sh FOLDER OUTPUT: stands for the engine's; copies the library that GOOD names
set -e
"${CXX:-c++}" --version > /dev/null 2>&1 || { echo "compile.sh: there is no C++ compiler (${CXX:-c++})"; exit 1; }
test -e "$1/mlx/lib/libmlx.so" || { echo "compile.sh: $1 has no MLX"; exit 1; }
cp "$GOOD" "$2"
