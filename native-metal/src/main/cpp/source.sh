#!/bin/sh
# source.sh CLASSES: puts the source of the mlx engine among the resources, for machines that build it themselves; files.txt lists it with checksums.
set -e
mkdir -p "$1"
to=$(cd "$1" && pwd)/mlx-source
cd "$(dirname "$0")/.."
rm -rf "$to"
mkdir -p "$to"
find c/espalier.h c/program cpp -name '*.h' -o -name '*.c' -o -name '*.cpp' -o -name Makefile -o -name compile.sh | sort | while read -r file; do
  mkdir -p "$to/$(dirname "$file")"
  cp "$file" "$to/$file"
  cksum "$file" | sed 's/^\([0-9]*\) [0-9]* /\1 /'
done > "$to/files.new"
mv "$to/files.new" "$to/files.txt"
