#!/bin/sh
# check.sh LIBRARY: compares an engine with the recordings beside this file, strictly in float32 and loosely in fast, and times those that begin with bench.
cd "$(dirname "$0")" || exit 3
failed=0
for recording in recordings/*; do
  for precision in float32 fast; do
    bounds="--tolerance 1e-3"
    [ $precision = float32 ] || bounds="--tolerance 5e-2 --choices 0.1"
    echo "== $recording, $precision"
    # shellcheck disable=SC2086
    build/espalier-check-library --library "$1" --precision $precision $bounds --times "$recording" || failed=1
  done
done
[ $failed = 0 ] && echo "gpu-check: all recordings are equal within their bounds" || echo "gpu-check: SOME RECORDINGS DIFFER"
exit $failed
