#!/bin/sh
# pack.sh [DIRECTORY]: packs what run.sh needs on a machine with an NVIDIA GPU that has neither Java nor a network: the engine's source, MLX's wheel for CUDA in
# pieces of less than 60 MB, MLX's Python module and mlx-lm, recordings of other engines, and what writes the models that are timed. It runs where the project is built and
# pip has a network, and takes 7 GB of disk for a while; the result is native-metal/target/gpu-check. PACKAGE=mlx-cpu packs for run.sh --on-processor: small models alone.
set -e
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${1:-$here/../target/gpu-check}
jar=$root/node-server/target/espalier-node.jar
test -f "$jar" || { echo "gpu-check: $jar is missing: build the project first"; exit 1; }
mkdir -p "$out"
out=$(cd "$out" && pwd)
version=$(sed -n 's/^darwin.*mlx_metal-\([0-9.]*\)-.*/\1/p' "$here/../src/main/resources/org/espalier/engine/library/mlx-wheels.txt" | head -1)
package=${PACKAGE:-mlx-cuda-13}
shapes="olmoe-small v3-small"
[ "$package" = mlx-cpu ] || shapes="$shapes olmoe v3"

for old in src recordings bench models wheel mlx mlx_lm build; do
  rm -rf "${out:?}/$old"
done
mkdir -p "$out/src" "$out/recordings" "$out/bench" "$out/wheel/python"
cp -r "$here/../src/main/c" "$here/../src/main/cpp" "$out/src/"
cp "$here/run.sh" "$here/check.sh" "$here/times.py" "$here/mlx_lm_times.py" "$here/../bench/mlx-shapes" "$out/"

pip() {
  python3 -m pip "$@" --quiet --disable-pip-version-check --only-binary=:all:
}
echo "gpu-check: fetching $package $version"
pip download --no-deps --dest "$out/whole" "$package==$version"
(cd "$out/whole" && sha256sum -- *.whl > ../wheel/sum && split -b 50000000 -- *.whl ../wheel/piece.)
rm -r "$out/whole"
for python in 3.10 3.11 3.12 3.13 3.14; do
  pip download --no-deps --platform "manylinux_2_35_$(uname -m)" --python-version $python --dest "$out/wheel/python" "mlx==$version"
done
pip download --no-deps --dest "$out/wheel/python" "$(grep '^mlx-lm==' "$root/models/src/test/python/requirements.txt")"

echo "gpu-check: recording the reference engine"
tokens=1,2,3,4,5,6,7,8,9,10,11,12
for model in deepseek_v3-tiny/mlx4 deepseek_v3-tiny/hf llama-tiny/hf qwen3_moe-tiny/hf; do
  folder=$root/models/src/test/resources/models/$model
  test -e "$folder" || continue
  java -jar "$jar" run --model "$folder" --engine reference --tokens $tokens --predict 8 --json --record "$out/recordings/$(echo $model | tr / -)" \
    --with-weights > /dev/null
done

# What is timed, and, shorter and with the experts that were chosen, compared: the weights, which anybody can write, stay here.
python3 -c 'import numpy' 2> /dev/null || pip install --target "$out/numpy" numpy
record() {
  java -jar "$jar" run --model "$out/models/$shape" --engine cpu --precision float32 --ignore-eos --json "$@" > /dev/null
}
for shape in $shapes; do
  echo "gpu-check: recording the cpu engine, $shape"
  PYTHONPATH="$out/numpy" python3 "$here/../bench/mlx-shapes" "$shape" "$out/models/$shape"
  (cd "$out" && sha256sum "models/$shape/model.safetensors" >> bench/sums)
  record --tokens "$(seq -s , 0 511)" --predict 33 --record "$out/bench/timed/$shape"
  record --tokens "$(seq -s , 0 63)" --predict 4 --routing --record "$out/bench/compared/$shape"
  rm -r "$out/models"
done
rm -rf "$out/numpy"
echo "gpu-check: $out is packed ($(du -sm "$out" | cut -f 1) MB); copy it there and run sh run.sh"
