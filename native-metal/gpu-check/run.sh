#!/bin/sh
# run.sh [--on-processor]: builds the mlx engine here with g++, compares it on an NVIDIA GPU with recordings of other engines, then says how fast it is beside mlx-lm's
# own model code. It needs g++ (12 or newer), make, Python with numpy, and the CUDA libraries of the PyTorch that is installed; neither Java nor a network.
# pack.sh makes this folder. --on-processor tries it with the wheel for the processor (PACKAGE=mlx-cpu sh pack.sh) and small models. RUNS says how often is measured.
# Ends with 0 if all is equal and was measured, 1 if not, 3 if nothing was run.
cd "$(dirname "$0")" || exit 3
nothing() {
  echo "gpu-check: $1: NOTHING WAS RUN"
  exit 3
}
if [ "$1" = --on-processor ]; then
  echo "gpu-check: ON THE PROCESSOR, to try this script: this says nothing of a GPU"
  shapes="olmoe-small v3-small"
  runs=${RUNS:-2}
  megabytes=500
else
  command -v nvidia-smi > /dev/null 2>&1 || nothing "this machine has no NVIDIA GPU (no nvidia-smi)"
  gpu=$(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2> /dev/null | head -1)
  [ -n "$gpu" ] || nothing "nvidia-smi finds no GPU"
  echo "GPU          $gpu"
  shapes="olmoe v3 olmoe-small v3-small"
  runs=${RUNS:-5}
  megabytes=4000
fi
"${CXX:-g++}" --version > /dev/null 2>&1 || nothing "there is no C++ compiler"
make --version > /dev/null 2>&1 || nothing "there is no make"
python3 -c 'import numpy' 2> /dev/null || nothing "there is no Python with numpy"
[ -d recordings ] && [ -d bench ] || nothing "there are no recordings: pack.sh makes them"

if [ ! -e mlx/lib/libmlx.so ]; then
  [ -e wheel/sum ] || nothing "there is no wheel of MLX in pieces: pack.sh fetches it"
  name=$(sed 's/.* //' wheel/sum)
  cat wheel/piece.* > "$name"
  sha256sum --quiet -c wheel/sum || nothing "the pieces of the wheel are not whole"
  # MLX's Python module is another wheel, for each Python its own; where it is missing times.py says so.
  tag=$(python3 -c 'import sys; print("cp%d%d" % sys.version_info[:2])')
  for wheel in wheel/python/mlx_lm-*.whl wheel/python/mlx-*-"$tag"-"$tag"-*.whl; do
    [ -e "$wheel" ] && python3 -m zipfile -e "$wheel" .
  done
  python3 -m zipfile -e "$name" . || nothing "the wheel cannot be unpacked"
  rm "$name"
fi
export PYTHONPATH="$PWD"
if [ "$1" != --on-processor ]; then
  # CUDA's libraries lie in folders of their own beside PyTorch, where MLX looks for them beside itself; its compiler of kernels wants headers, too.
  cuda=$(python3 -c 'import torch; print(torch.version.cuda)' 2> /dev/null)
  [ -n "$cuda" ] || nothing "there is no PyTorch, whose CUDA libraries are used"
  grep -q "mlx_cuda_${cuda%%.*}-" wheel/sum || nothing "PyTorch has CUDA $cuda, the wheel is $(sed 's/.* //' wheel/sum): PACKAGE=mlx-cuda-${cuda%%.*} sh pack.sh"
  site=$(python3 -c 'import torch, os; print(os.path.dirname(os.path.dirname(torch.__file__)))')
  [ -d "$site/nvidia" ] && ln -sfn "$site/nvidia" nvidia
  LD_LIBRARY_PATH=$(find "$site/nvidia" "$site/torch/lib" -name '*.so*' -exec dirname {} + 2> /dev/null | sort -u | tr '\n' ':')$PWD/mlx/lib:$LD_LIBRARY_PATH
  export LD_LIBRARY_PATH
  headers=$(find -H "$site/nvidia" /usr/local/cuda/include -name cuda_fp16.h 2> /dev/null | head -1)
  [ -n "$CUDA_HOME$CUDA_PATH" ] || [ -z "$headers" ] || export CUDA_HOME="${headers%/include/*}"
fi

memory=
# The models of which bench has recordings are written here, as they were written there: in memory where there is room, since each process reads them anew.
if [ "$(df -Pk /dev/shm 2> /dev/null | awk 'NR == 2 {print $4}')" -gt 24000000 ] 2> /dev/null; then
  memory=$(mktemp -d /dev/shm/gpu-check.XXXXXX)
  rm -rf models
  ln -s "$memory" models
fi
# Ends with SIGTERM.
write() {
  [ ! -e "models/$1/same" ] || return 0
  python3 mlx-shapes "$1" "models/$1" &
  # shellcheck disable=SC2064
  trap "kill $!; exit 1" TERM
  wait $! && grep " models/$1/" bench/sums | sha256sum --quiet -c && touch "models/$1/same"
}
writers=
# shellcheck disable=SC2086
trap '[ -z "$writers" ] || kill $writers 2> /dev/null; wait; [ -z "$memory" ] || rm -rf "$memory" models' EXIT
trap 'exit 1' INT TERM
for shape in $shapes; do
  write "$shape" &
  writers="$writers $!"
done
make -s -C src/cpp OUT="$PWD/build" MLX="$PWD" engine || nothing "the engine cannot be built"
make -s -C src/c OUT="$PWD/build" "$PWD/build/espalier-check-library" || nothing "espalier-check cannot be built"
cp build/libespalier-mlx.so mlx/lib/
engine=$(python3 -c '
import ctypes
text = ctypes.create_string_buffer(256)
status = ctypes.CDLL("mlx/lib/libespalier-mlx.so").es_describe(text, len(text))
print(text.value.decode())
raise SystemExit(status)' 2>&1) || nothing "the engine does not run here: $(echo "$engine" | tail -1)"
echo "engine       $engine"
case "$1,$engine" in
  ,*"on the processor") nothing "MLX finds no GPU" ;;
esac
wait
writers=

failed=0
set -- recordings/*
for shape in $shapes; do
  if [ -e "models/$shape/same" ]; then
    set -- "$@" "bench/compared/$shape"
  else
    echo "gpu-check: the model $shape is not the one that was recorded: IT IS NOT COMPARED"
    failed=1
  fi
done
sh ./check.sh mlx/lib/libespalier-mlx.so "$@" || failed=1
# shellcheck disable=SC2086
python3 times.py "$runs" "$megabytes" $shapes || failed=1
exit $failed
