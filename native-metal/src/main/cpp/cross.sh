#!/bin/sh
# cross.sh DIRECTORY [CLASSES]: builds the mlx engine for Macs (darwin-aarch64) on any system, with zig, against the published wheels, which pip fetches; then checks that
# every symbol that it binds is there, in each wheel's libmlx.dylib and in the C++ library of macOS 14. No Mac has ever loaded the result.
# It is put into CLASSES, so that a jar carries it.
set -e
mkdir -p "$1"
out=$(cd "$1" && pwd)
classes=${2:+$(cd "$2" && pwd)}
cd "$(dirname "$0")"
pins=../resources/org/espalier/engine/library/mlx-wheels.txt

test -x "$out/zig/bin/python" || python3 -m venv "$out/zig"
"$out/zig/bin/pip" install --quiet --disable-pip-version-check ziglang==0.17.1
zig="$out/zig/bin/python -m ziglang"
target=aarch64-macos.14.0

# Only what is built and checked against is unpacked: the kernels are large.
sed -n 's/^darwin-aarch64-macos\([0-9]*\) .* \([0-9a-f]\{64\}\)  *\(.*\)/\1 \2 \3/p' $pins | while read -r macos hash wheel; do
  test -e "$out/macos$macos/mlx/lib/libmlx.dylib" && continue
  version=$(echo "$wheel" | cut -d- -f2)
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --platform "macosx_${macos}_0_arm64" \
    --dest "$out" "mlx-metal==$version"
  python3 - "$out/$wheel" "$hash" "$out/macos$macos" << 'END'
import hashlib, pathlib, sys, zipfile
wheel, expected, folder = sys.argv[1:]
found = hashlib.sha256(pathlib.Path(wheel).read_bytes()).hexdigest()
if found != expected:
    sys.exit(f"{wheel} has the hash {found}, expected {expected}")
with zipfile.ZipFile(wheel) as files:
    files.extractall(folder, [name for name in files.namelist() if name.startswith("mlx/include/") or name.endswith(".dylib")])
END
  rm "$out/$wheel"
done

# With the marks of availability no header uses what the C++ library of macOS 14 lacks; zig, which brings its own library, leaves them out.
marks="-U_LIBCPP_HAS_VENDOR_AVAILABILITY_ANNOTATIONS -D_LIBCPP_HAS_VENDOR_AVAILABILITY_ANNOTATIONS=1"
objects="$out/mlx-objects"
make -s OUT="$objects" MLX="$out/macos14" CXX="$zig c++ -target $target $marks" CC="$zig cc -target $target" objects
# Linked as C, with a stub of the system's C++ library: one that is linked in would not catch what MLX throws.
mkdir -p "$out/stub" "$out/darwin-aarch64"
python3 darwin.py stub "$objects"/*.o "$out/macos14/mlx/lib/libmlx.dylib" "$out/stub/libsystem-cxx.tbd"
library="$out/darwin-aarch64/libespalier-mlx.dylib"
$zig cc -target $target -shared "$objects"/*.o -o "$library" -Wl,-install_name,@rpath/libespalier-mlx.dylib -L"$out/stub" -lsystem-cxx \
  -L"$out/macos14/mlx/lib" -lmlx -Wl,-rpath,@loader_path
python3 darwin.py check "$library" "$out/macos14/mlx/lib/libmlx.dylib" "$out/macos15/mlx/lib/libmlx.dylib" "$out/macos26/mlx/lib/libmlx.dylib"
if [ -n "$classes" ]; then
  mkdir -p "$classes/darwin-aarch64"
  cp "$library" "$classes/darwin-aarch64/"
fi
