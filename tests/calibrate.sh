#!/bin/sh
# `wddmsim calibrate`: a recording that a known machine made gives that machine's numbers back.
. "$SOURCE/tests/common.sh"
subcommand=calibrate

# The recording: two programs whose outcomes are those of rtx3070-8g with some other numbers.
"$WDDMSIM" generate frames --frames=120 --processes=2 --seed=3 -o plain.jsonl || exit 99
"$WDDMSIM" replay plain.jsonl -q --no-report --calls -o truth -s costs.submit.fixed=23us \
    -s costs.make-resident.fixed=31us -s scheduler.submit=17us -s scheduler.interrupt=35us \
    -s scheduler.complete-signal=14us || exit 99
awk -F, '
    FNR == NR && FNR > 1 { dur[$1] = $4 - $3; if ($5 != "") done[$1] = $2 + $5 - $3 }
    FNR == NR { next }
    FNR > 1 && (FNR - 2) in dur {
        outcome = "\"dur\":" dur[FNR - 2] ","
        if ((FNR - 2) in done)
            outcome = outcome "\"done\":" done[FNR - 2] ","
        sub(/{/, "{" outcome)
    }
    { print }' truth/calls.csv plain.jsonl >recording.jsonl

# near KEY NS TOLERANCE: what was found, in the table that was printed.
near() {
    text=$(awk -v key="$1" '$1 == key { print $3 }' out)
    awk -v text="$text" -v wanted="$2" -v tolerance="$3" 'BEGIN {
        value = text + 0
        if (text ~ /us$/) value *= 1000
        if (text ~ /ms$/) value *= 1000000
        exit !(text != "" && value >= wanted - tolerance && value <= wanted + tolerance) }' ||
        fail "$1: expected $2 ns within $3, got \"$text\""
}

# Nothing else differs, so the true numbers make every error 0, and what is found can be off only as
# far as the fit stops early: when a round gains less than a thousandth of the mean error.
expect 0 recording.jsonl -o found.yaml --fit scheduler.submit --fit scheduler.interrupt \
    --fit scheduler.complete-signal
near costs.submit.fixed 23000 50
near costs.make-resident.fixed 31000 50
near scheduler.submit 17000 100
near scheduler.interrupt 35000 100
near scheduler.complete-signal 14000 100
grep -q '^# scheduler.interrupt: was 22.9us, fit to' found.yaml || fail "no provenance: $(head -9 found.yaml)"
"$WDDMSIM" replay recording.jsonl -H ./found.yaml -q --no-report -o again || fail "the profile cannot be replayed"

# Half of it held out, which is then as good.
expect 0 recording.jsonl -o half.yaml --hold-out 0.5 --fit scheduler.interrupt
prints 'completions held out: error'

# The same twice is the same.
expect 0 recording.jsonl -q -o again.yaml --fit scheduler.submit \
    --fit scheduler.interrupt --fit scheduler.complete-signal
cmp -s found.yaml again.yaml || fail "two runs, two profiles"

# The link: 1 MiB to 16 MiB at 10 GB/s and 5 us each.
{
    echo '{"wddmsim":1}'
    for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
        bytes=$((n * 1048576))
        echo "{\"t\":$n,\"dur\":$((5000 + bytes / 10)),\"op\":\"ObserveTransfer\",\"bytes\":$bytes,\"from\":\"system\",\"to\":\"local\"}"
    done
} >transfers.jsonl
expect 0 transfers.jsonl -o link.yaml
# Whole ns of 1 MiB / 10: 0.6 ns in 104,857, so five digits of the bandwidth.
grep -Eq 'link.bandwidth-in +25.5GB/s +(10|10\.0000|9\.9999)[0-9]*GB/s .*16 transfers; fixed part 5(\.00[01])?us' out ||
    fail "link: $(cat out)"

# refuse TEXT ARGUMENT...: what it must say, with exit status 2, and leave no file.
refuse() {
    text=$1
    shift
    expect 2 "$@" -o refused.yaml
    says "$text"
    [ ! -e refused.yaml ] || fail "calibrate $*: refused, and yet it wrote a file"
}
refuse 'expected recorded outcomes' plain.jsonl
refuse 'expected the key of a time' recording.jsonl --fit scheduler.queue-depth
refuse 'did you mean scheduler.submit?' recording.jsonl --fit scheduler.submitt
refuse 'expected a number in 0..0.9' recording.jsonl --hold-out 1
refuse 'expected a trace'
refuse 'missing.jsonl' missing.jsonl
expect 1 recording.jsonl -q -o none/x.yaml --fit scheduler.wake
says 'none/x.yaml: cannot be written'

conclude
