#!/bin/sh
# pack.sh [DIRECTORY]: packs what run.sh needs on a machine with an NVIDIA GPU that has neither Java nor a network: the engine's source, MLX's wheel for CUDA in
# pieces of less than 60 MB, and recordings of the reference engine. It runs where the project is built and pip has a network; the result is native-metal/target/gpu-check.
set -e
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${1:-$here/../target/gpu-check}
jar=$root/node-server/target/espalier-node.jar
test -f "$jar" || { echo "gpu-check: $jar is missing: build the project first"; exit 1; }
mkdir -p "$out"
out=$(cd "$out" && pwd)
version=$(sed -n 's/^darwin.*mlx_metal-\([0-9.]*\)-.*/\1/p' "$here/../src/main/resources/org/espalier/engine/library/mlx-wheels.txt" | head -1)

rm -rf "$out/src" "$out/recordings" "$out/wheel" "$out/mlx" "$out/build"
mkdir -p "$out/src" "$out/recordings" "$out/wheel"
cp -r "$here/../src/main/c" "$here/../src/main/cpp" "$out/src/"
cp "$here/run.sh" "$here/check.sh" "$out/"

echo "gpu-check: recording the reference engine"
tokens=1,2,3,4,5,6,7,8,9,10,11,12
for model in deepseek_v3-tiny/mlx4 deepseek_v3-tiny/hf llama-tiny/hf qwen3_moe-tiny/hf; do
  folder=$root/models/src/test/resources/models/$model
  test -e "$folder" || continue
  java -jar "$jar" run --model "$folder" --engine reference --tokens $tokens --predict 8 --json --record "$out/recordings/$(echo $model | tr / -)" \
    --with-weights > /dev/null
done
# What is timed: a layer of the shape of OLMoE's.
java -cp "$jar" org.espalier.node.doctor.Probe reference RECORD 1 "$out/recordings/bench-olmoe-layer" > /dev/null

package=${PACKAGE:-mlx-cuda-13}
echo "gpu-check: fetching $package $version"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --dest "$out/whole" "$package==$version"
(cd "$out/whole" && sha256sum -- *.whl > ../wheel/sum && split -b 50000000 -- *.whl ../wheel/piece.)
rm -r "$out/whole"
echo "gpu-check: $out is packed; copy it there and run sh run.sh"
