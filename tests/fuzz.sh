#!/bin/sh
# A short, repeatable run of each fuzz target; tests/fuzz/*.c also build with libFuzzer.
set -u
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT

head -n 60 "$SOURCE/traces/samples/frames.jsonl" >"$scratch/sample.jsonl"
"$WDDMSIM" convert -q "$scratch/sample.jsonl" -o "$scratch/sample.wtrace" || exit 1
"$BUILD/tests/fuzz/seeds" "$scratch" || exit 1

status=0
for target in \
    jsonl:jsonl \
    wtrace:wtrace \
    etl:wtrace \
    dat:dat \
    ftrace:ftrace \
    gpgmm:gpgmm \
    kineto:kineto \
    kvcache:kvcache \
    nsight:nsight \
    presentmon:presentmon \
    pytorch:pytorch \
    tracerpt:tracerpt \
    xperf:xperf; do
    "$BUILD/tests/fuzz/fuzz_${target%:*}" --mutate 5000 1 "$scratch"/*."${target#*:}" || {
        echo "FAILED: fuzz_${target%:*}"
        status=1
    }
done
exit $status
