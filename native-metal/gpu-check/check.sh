#!/bin/sh
# check.sh LIBRARY: compares an engine with the recordings beside this file, strictly in float32 and loosely in fast, and times those that begin with bench.
# In fast the tiny mixtures, whose weights are random, flip an expert here and there: what is left to see is that the logits are this model's.
cd "$(dirname "$0")" || exit 3
failed=0
for recording in recordings/*; do
  for precision in float32 fast; do
    case $precision,$recording in
      float32,*) bounds="--tolerance 1e-3" ;;
      *,*llama* | *,*bench*) bounds="--tolerance 5e-2 --choices 0.1" ;;
      *) bounds="--tolerance 0.5 --choices 0.1" ;;
    esac
    echo "== $recording, $precision"
    # shellcheck disable=SC2086
    build/espalier-check-library --library "$1" --precision $precision $bounds --times "$recording" || failed=1
  done
done
[ $failed = 0 ] && echo "gpu-check: all recordings are equal within their bounds" || echo "gpu-check: SOME RECORDINGS DIFFER"
exit $failed
