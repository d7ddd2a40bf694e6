#!/bin/sh
# cross.sh DIRECTORY MLX: whether the expert kernels, as MLX writes them for Metal and CUDA, are accepted by compilers for these languages that pip fetches:
# zig's clang, with Metal's address spaces as attributes, and NVIDIA's NVRTC, the compiler that MLX itself uses. Neither needs a GPU.
set -e
mkdir -p "$1"
out=$(cd "$1" && pwd)
mlx=$2
cd "$(dirname "$0")"

if [ ! -e "$mlx/mlx/include/mlx/fast.h" ]; then
  echo "native-metal: there is no MLX in $mlx: what the compilers of Metal and CUDA say to the expert kernels was not looked at"
  exit 0
fi
test -x "$out/python/bin/python" || python3 -m venv "$out/python"
"$out/python/bin/pip" install --quiet --disable-pip-version-check \
  ziglang==0.17.1 nvidia-cuda-nvrtc-cu12==12.9.86 nvidia-cuda-runtime-cu12==12.9.79 nvidia-cuda-cccl-cu12==12.9.27
make -s OUT="$out/cpp" MLX="$mlx" "$out/cpp/write_kernels"
rm -rf "$out/kernels"
mkdir "$out/kernels"
"$out/cpp/write_kernels" "$out/kernels"

# clang knows no attributes of explicit instantiations, which name a kernel for the host
for kernel in "$out"/kernels/*.metal; do
  sed -i.generated 's/^template \[\[host_name([^)]*)\]\] \[\[kernel\]\] /template /' "$kernel"
  "$out/python/bin/python" -m ziglang clang -x c++ -std=c++14 -nostdinc -fsyntax-only -fno-exceptions -fno-rtti -Wall -Wextra -Werror \
    -Wno-unknown-attributes -include experts/metal_words.h "$kernel"
done
# a macro of MLX's own prelude would change the text
prelude="$mlx/mlx/include/mlx/backend/metal/kernels"
for name in $(sed -n 's/^ *# *define  *\([A-Za-z_0-9]*\).*/\1/p' "$prelude"/utils.h "$prelude"/bf16*.h "$prelude"/complex.h "$prelude"/defines.h "$prelude"/logging.h | sort -u); do
  if grep -w "$name" ../../main/cpp/experts/*.text.h; then
    echo "native-metal: $name is a macro of MLX's prelude"
    exit 1
  fi
done
echo "native-metal: clang takes the $(ls "$out"/kernels/*.metal | wc -l) expert kernels for Metal; Metal's own compiler has not seen them"

"$out/python/bin/python" experts/nvrtc.py "$out"/kernels/*.cu
