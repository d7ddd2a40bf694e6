#!/bin/sh
# check.sh LIBRARY RECORDING...: compares an engine with recordings, strictly in float32 and loosely in fast.
# In fast the tiny mixtures, whose weights are random, flip an expert here and there: what is left to see is that the logits are this model's.
# Models of many layers flip them in fast until nothing is left to see, so what is in bench is compared in float32 only, in which a tie may still fall otherwise.
cd "$(dirname "$0")" || exit 3
library=$1
shift
failed=0
for recording in "$@"; do
  for precision in float32 fast; do
    case $precision,$recording in
      float32,bench/*) bounds="--tolerance 1e-3 --choices 0.01" ;;
      float32,*) bounds="--tolerance 1e-3" ;;
      fast,bench/*) continue ;;
      *,*llama*) bounds="--tolerance 5e-2 --choices 0.1" ;;
      *) bounds="--tolerance 0.5 --choices 0.1" ;;
    esac
    echo "== $recording, $precision"
    # shellcheck disable=SC2086
    build/espalier-check-library --library "$library" --precision $precision $bounds "$recording" || failed=1
  done
done
[ $failed = 0 ] && echo "gpu-check: all recordings are equal within their bounds" || echo "gpu-check: SOME RECORDINGS DIFFER"
exit $failed
