#!/bin/sh
# Damaged traces through the real program: each is replayed, or refused with exit status 2 and one
# located line; never a crash, never a half-written folder. WDDMSIM_DAMAGE=long tries more of them.
. "$SOURCE/tests/common.sh"
tried=0 refused=0

# try FILE: exit status 0 or 2 (1 too: a recording cut short may leave calls waiting).
try() {
    tried=$((tried + 1))
    rm -rf out
    timeout 60 "$WDDMSIM" replay -q --no-report --check -o out "$@" >/dev/null 2>all </dev/null
    status=$?
    without_sanitizer all >err
    case $status in
    0) [ -s out/summary.json ] || fail "$*: exit status 0 and no summary.json" ;;
    1)
        grep -q 'still wait for what can never happen' err || fail "$*: exit status 1: $(cat err)"
        ;;
    2)
        refused=$((refused + 1))
        [ "$(wc -l <err)" -eq 1 ] || fail "$*: not one line: $(cat err)"
        grep -q "^${1%%.*}[^:]*:" err || fail "$*: no place in: $(cat err)"
        [ ! -e out/summary.json ] || fail "$*: refused, and yet there are results"
        ;;
    *) fail "$*: exit status $status: $(tail -n 3 err)" ;;
    esac
    [ ! -d out ] || [ -z "$(find out -name '*.tmp*' -o -name '.*' -type f)" ] ||
        fail "$*: temporary files are left: $(find out -type f)"
    [ "$status" -ne 2 ] || [ ! -d out ] || [ -z "$(find out -type f)" ] ||
        fail "$*: refused, and the folder holds $(find out -type f)"
}

# refuse FILE TEXT...: exit status 2 and a line with all of the texts; with --skip-bad it is counted,
# if `skippable`.
refuse() {
    file=$1
    shift
    try "$file"
    [ "$status" -eq 2 ] || fail "$file: exit status $status, not 2: $(cat err)"
    for text; do
        grep -qF -- "$text" err || fail "$file: \"$text\" is not in: $(cat err)"
    done
}

skip() {
    timeout 60 "$WDDMSIM" replay -q --no-report --skip-bad -o out "$1" >/dev/null 2>err </dev/null
    status=$?
    [ "$status" -eq 0 ] || fail "$1 --skip-bad: exit status $status: $(cat err)"
    grep -qF "1 bad events skipped, the first: $1:" err || fail "$1 --skip-bad says: $(cat err)"
    grep -q '"bad_events": 1,' out/summary.json || fail "$1 --skip-bad: summary.json has no count"
}

# Text: one bad line each, between two good ones.
header='{"wddmsim": 1}'
good='{"t": 10, "op": "CreateDevice", "device": 1}'
later='{"t": 30, "op": "CreateDevice", "device": 9}'
number=0
bad_line() {
    line=$1
    shift
    number=$((number + 1))
    printf '%s\n%s\n%s\n%s\n' "$header" "$good" "$line" "$later" >"line$number.jsonl"
    refuse "line$number.jsonl" "line$number.jsonl:3: " "$@"
    skip "line$number.jsonl"
}
bad_line 'garbage'
bad_line '{"t": 20, "op": "CreateDevice", "device": 2'
bad_line '[]'
bad_line '{"t": 20}'
bad_line '{"t": 20, "op": "Explode"}'
bad_line '{"t": 20, "op": "CreateDevice"}' device
bad_line '{"t": 20, "op": "CreateDevice", "device": 2, "colour": 1}' colour
bad_line '{"t": 20, "op": "CreateDevice", "device": [2]}' device
bad_line '{"t": 20, "op": "CreateDevice", "device": -2}' device
bad_line '{"t": 20, "op": "CreateDevice", "device": 2.5}' device
bad_line '{"t": "noon", "op": "CreateDevice", "device": 2}'
bad_line '{"t": -1, "op": "CreateDevice", "device": 2}'
bad_line '{"t": 9, "op": "CreateDevice", "device": 2}'
bad_line '{"t": 20, "op": "CreateDevice", "device": 1}' 'live object already'
bad_line '{"t": 20, "op": "CreateDevice", "device": 2, "status": "STATUS_SPLENDID"}' status
bad_line '{"t": 20, "op": "CreateAllocation", "device": 1, "allocations": 5}' allocations
bad_line '{"t": 20, "op": "CreateAllocation", "device": 1, "allocations": [{"allocation": 1}]}' size
bad_line '{"t": 20, "op": "CreateAllocation", "device": 1, "allocations": [{"allocation": 1, "size": -4096}]}' size -4096
bad_line '{"t": 20, "op": "CreateAllocation", "device": 1, "allocations": [{"allocation": 1, "size": "big"}]}' size
bad_line '{"t": 20, "op": "CreateAllocation", "device": 1, "allocations": [{"allocation": 1, "size": 1}], "flags": ["Pretty"]}' flags
bad_line '{"t": 20, "op": "CreateAllocation", "device": 1, "allocations": [{"allocation": 1, "size": 1}, {"allocation": 1, "size": 1}]}' twice
bad_line '{"t": 20, "op": "CreateContext", "device": 1, "context": 1, "node": "warp"}' node

# Huge numbers are numbers: the call fails, the program does not.
printf '%s\n%s\n' "$header" "$good" >huge.jsonl
echo '{"t": 20, "op": "CreateAllocation", "device": 1, "allocations": [{"allocation": 1, "size": 9223372036854775807}]}' >>huge.jsonl
echo '{"t": 20, "op": "Signal", "fence": 1, "value": 9223372036854775807}' >>huge.jsonl
try huge.jsonl
[ "$status" -eq 0 ] || fail "huge.jsonl: exit status $status: $(cat err)"

# Headers, and files that are no trace.
: >empty.jsonl
refuse empty.jsonl
echo '{"wddmsim": 2}' >version.jsonl
refuse version.jsonl
echo '{"t": 0, "op": "CreateDevice", "device": 1}' >headless.jsonl
refuse headless.jsonl
echo 'PK this is no trace' >other.bin
refuse other.bin
head -c 4096 "$WDDMSIM" >program.bin
refuse program.bin

# A sample, cut and changed, in text and in binary; the same changes every time.
head -n 120 "$SOURCE/traces/samples/frames.jsonl" >sample.jsonl
"$WDDMSIM" convert -q sample.jsonl -o sample.wtrace || fail "convert"
"$WDDMSIM" convert -q sample.jsonl -o sample.zst.jsonl.zst || fail "convert"

# cuts FILE STEP SUFFIX
cuts() {
    size=$(wc -c <"$1")
    at=$2
    while [ "$at" -lt "$size" ]; do
        head -c "$at" "$1" >"cut.$3"
        try "cut.$3"
        at=$((at + $2))
    done
}

# flips FILE COUNT SUFFIX: each time eight bytes are replaced.
flips() {
    size=$(wc -c <"$1")
    awk -v size="$size" -v count="$2" 'BEGIN {
        state = 12345
        for (i = 0; i < 8 * count; i++) {
            state = (state * 16807) % 2147483647
            at = state % size
            state = (state * 16807) % 2147483647
            print at, sprintf("%03o", state % 256)
        }
    }' >changes
    i=0
    while [ "$i" -lt "$2" ]; do
        cp "$1" "flip.$3"
        sed -n "$((8 * i + 1)),$((8 * i + 8))p" changes | while read -r at byte; do
            printf "\\$byte" | dd of="flip.$3" bs=1 seek="$at" conv=notrunc status=none
        done
        try "flip.$3"
        i=$((i + 1))
    done
}

if [ "${WDDMSIM_DAMAGE:-short}" = long ]; then
    step=97 count=400 etl_step=4096 etl_count=200
else
    step=1499 count=25 etl_step=524288 etl_count=6
fi
cuts sample.jsonl "$step" jsonl
cuts sample.wtrace "$step" wtrace
cuts sample.zst.jsonl.zst "$step" zst
flips sample.jsonl "$count" jsonl
flips sample.wtrace "$count" wtrace
flips sample.zst.jsonl.zst "$count" zst

# A recording of Windows, where there is one.
for etl in "$SOURCE"/../shared/traces/recorded/windows-etl/*.etl.gz; do
    [ -f "$etl" ] || continue
    gzip -dc "$etl" >recording.etl
    cuts recording.etl $((etl_step * $(wc -c <recording.etl) / 4194304 + etl_step)) etl
    flips recording.etl "$etl_count" etl
    break
done

echo "$tried damaged traces: $refused refused, $failures failures"
[ "$failures" -eq 0 ]
