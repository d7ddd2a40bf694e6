#!/bin/sh
# run.sh: builds the mlx engine here with g++ and compares it, on an NVIDIA GPU, with recordings of the reference engine; then says how long steps take. It needs g++
# (12 or newer), make, Python for unpacking, and the CUDA libraries of the PyTorch that is installed; neither Java nor a network. pack.sh makes this folder.
# With --on-processor it tries itself with the wheel for the processor (PACKAGE=mlx-cpu sh pack.sh). Ends with 0 if all is equal, 1 if not, 3 if nothing was run.
cd "$(dirname "$0")" || exit 3
nothing() {
  echo "gpu-check: $1: NOTHING WAS RUN"
  exit 3
}
if [ "$1" = --on-processor ]; then
  echo "gpu-check: ON THE PROCESSOR, to try this script: this says nothing of a GPU"
else
  command -v nvidia-smi > /dev/null 2>&1 || nothing "this machine has no NVIDIA GPU (no nvidia-smi)"
  gpu=$(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2> /dev/null | head -1)
  [ -n "$gpu" ] || nothing "nvidia-smi finds no GPU"
  echo "GPU          $gpu"
fi
"${CXX:-g++}" --version > /dev/null 2>&1 || nothing "there is no C++ compiler"
make --version > /dev/null 2>&1 || nothing "there is no make"
[ -d recordings ] || nothing "there are no recordings: pack.sh makes them"

if [ ! -e mlx/lib/libmlx.so ]; then
  [ -e wheel/sum ] || nothing "there is no wheel of MLX in pieces: pack.sh fetches it"
  name=$(sed 's/.* //' wheel/sum)
  cat wheel/piece.* > "$name"
  sha256sum --quiet -c wheel/sum || nothing "the pieces of the wheel are not whole"
  python3 -m zipfile -e "$name" . || nothing "the wheel cannot be unpacked"
  rm "$name"
fi
if [ "$1" != --on-processor ]; then
  # CUDA's libraries lie in folders of their own beside PyTorch.
  site=$(python3 -c 'import torch, os; print(os.path.dirname(os.path.dirname(torch.__file__)))' 2> /dev/null)
  [ -n "$site" ] || nothing "there is no PyTorch, whose CUDA libraries are used"
  LD_LIBRARY_PATH=$(find "$site/nvidia" "$site/torch/lib" -name '*.so*' -exec dirname {} + 2> /dev/null | sort -u | tr '\n' ':')$PWD/mlx/lib:$LD_LIBRARY_PATH
  export LD_LIBRARY_PATH
fi

make -s -C src/cpp OUT="$PWD/build" MLX="$PWD" engine || nothing "the engine cannot be built"
make -s -C src/c OUT="$PWD/build" "$PWD/build/espalier-check-library" || nothing "espalier-check cannot be built"
cp build/libespalier-mlx.so mlx/lib/
sh ./check.sh mlx/lib/libespalier-mlx.so
