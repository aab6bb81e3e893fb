#!/bin/sh
# The command line: exit statuses, messages, and commands that can be checked against each other.
. "$SOURCE/tests/common.sh"

# Help, versions, misuse.
expect 0 --help
for command in $(sed -n 's/^  \([a-z]*\)  .*/\1/p' out); do
    expect 0 "$command" --help
    prints "Usage: wddmsim $command"
    expect 0 "$command" --version
    prints "wddmsim "
    expect 2 "$command" --no-such-option
done
expect 0 generate frames --help
prints "--texture-size"
expect 2
expect 2 repaly
says "did you mean replay?"
expect 2 replay
says "expected a trace"
expect 2 replay one two
says "expected one trace"
expect 2 replay no-such-file.jsonl
says "no-such-file.jsonl"
expect 2 replay - -s vidmm.eviction=belady
says "vidmm.eviction=belady reads the trace twice: expected a file, got standard input"
expect 2 replay x -s vidmm.eviction=lri
says "--set: vidmm.eviction: expected one of lru, priority-lru,"
expect 2 replay --from 2s --to 1s x
expect 2 replay --from yesterday x
says "--from: expected a time"
expect 2 replay --pace fast x
expect 2 hardware list more
expect 2 generate fraems -o x
says "did you mean frames?"
expect 2 generate frames
expect 2 generate frames -o x.jsonl --processes 0
says "--processes: expected a whole number in 1..256"
expect 2 generate frames -o x.jsonl --texture-size lots
[ ! -e x.jsonl ] || fail "a failed generate left a file"

# Values of the profile.
sample=$SOURCE/traces/samples/frames.jsonl
expect 2 replay "$sample" -H rtx3070
says "did you mean rtx3070-8g?"
expect 2 replay "$sample" -s segments.local.size
says "expected KEY=VALUE"
expect 2 replay "$sample" -s segments.local.szie=1GiB
says "--set: segments.local.szie: no such key, did you mean segments.local.size?"
expect 2 replay "$sample" -s link.latency=1parsec
says "--set: link.latency: expected a time"
printf 'name: mine\nlink:\n  latency: soon\n' >mine.yaml
expect 2 replay "$sample" -H mine.yaml
says "mine.yaml:3: link.latency: expected a time"
[ ! -e wddmsim-report ] || fail "a replay that could not start left a folder"

# Profiles: what show prints is a profile, and says the same again.
expect 0 hardware list
for profile in $(sed -n '2,$s/ .*//p' out); do
    expect 0 hardware show "$profile"
    mv out "$profile.yaml"
    expect 0 hardware show "./$profile.yaml"
    mv out again.yaml
    expect 0 hardware show ./again.yaml
    cmp -s out again.yaml || fail "$profile changes when it is written and read"
done
expect 0 hardware keys
prints "segments.NAME.size"

# The sample is what the generator makes; seeds matter; encodings agree.
set -- --frames 40 --textures 80 --texture-size 64MiB --bound 24 --stream 0.5
expect 0 generate frames -o sample.jsonl --seed 1 "$@"
cmp sample.jsonl "$sample" || fail "the generator no longer makes the sample"
expect 0 generate frames -o other.jsonl --seed 2 "$@"
cmp -s other.jsonl sample.jsonl && fail "the seed changes nothing"
expect 0 generate frames -o - --seed 1 "$@"
cmp out sample.jsonl || fail "standard output gets another trace than a file"
expect 0 convert sample.jsonl -o sample.wtrace
expect 0 convert sample.wtrace -o back.jsonl
cmp back.jsonl sample.jsonl || fail "text to binary to text changes the trace"
expect 0 convert sample.jsonl -o sample.jsonl.zst
expect 0 convert sample.jsonl -o view.json
expect 0 convert sample.jsonl --to chrome -o - -q
cmp out view.json || fail "the name of a file and --to give other bytes"
expect 0 convert sample.jsonl -o view.pftrace
expect 0 convert sample.jsonl -o sample.json --to jsonl
cmp sample.json sample.jsonl || fail "--to jsonl"
expect 2 convert sample.jsonl -o view --to xml
says "expected jsonl, wtrace, perfetto or chrome, got \"xml\""
expect 2 convert sample.jsonl other.jsonl -o never.wtrace
says "expected one trace"
printf '{"wddmsim":1}\n{"t":5,"pid":1,"op":"CreateDevice","device":1}\n' >first.jsonl
printf '{"wddmsim":1}\n{"t":5,"pid":2,"op":"CreateDevice","device":2}\n' >second.jsonl
expect 0 import first.jsonl second.jsonl -o both.jsonl --offset 2=-1us -v
says "file 2 begins"
printf '%s\n' '{"t":5,"pid":2,"tid":0,"op":"CreateDevice","device":2}' \
    '{"t":1005,"pid":1,"tid":0,"op":"CreateDevice","device":1}' >both.events
tail -n +2 both.jsonl | cmp - both.events || fail "merging with an offset"
expect 2 import first.jsonl second.jsonl -o never.wtrace --offset 3=1ms
says "there is no file 3"
expect 2 import first.jsonl second.jsonl -o never.wtrace --offset 1=1ms
says "from 2 on"
expect 0 inspect sample.jsonl.zst --json
mv out zst.json
expect 0 inspect sample.wtrace --json
for key in events created_bytes gpu_ns references last_ns; do
    [ "$(grep "^  \"$key\"" out)" = "$(grep "^  \"$key\"" zst.json)" ] || fail "inspect: $key"
done
prints '"events": 1138'
expect 0 inspect sample.jsonl
prints "oddities"
prints "  none"
! grep -q "what the recording cannot know" out || fail "sample.jsonl lacks something"
! grep -q "misses by size" out || fail "inspect shows a curve unasked"
# Pages used: 1, 2, 3 of them, and the first again: it comes back behind all 6.
{
    printf '{"wddmsim":1}\n{"t":0,"op":"CreateAllocation","device":1,"allocations":['
    printf '{"allocation":1,"size":1},{"allocation":2,"size":8192},{"allocation":3,"size":12288}]}\n'
    for names in 1 2,2 3 1; do
        printf '{"t":0,"op":"Submit","context":1,"gpu":1,"allocations":[%s],"writes":[]}\n' $names
    done
} >curve.jsonl
expect 0 inspect curve.jsonl --mrc=curve.csv
prints "4 references (what Submit names), 75.00 % of them first uses"
prints "24.0 KiB     75.00 %     24.0 KiB"
printf 'size_bytes,miss_ratio,miss_ratio_error_95,missed_bytes\n24576,0.75,0,24576\n' | cmp - curve.csv ||
    fail "the miss-ratio curve as CSV"
# What a replay says of the calls as it made them; the scenario has the derivation.
expect 0 replay "$SOURCE/tests/scenarios/miss-curve.jsonl" -H ideal -q --no-report -o curve
printf 'size_bytes,miss_ratio,miss_ratio_error_95,missed_bytes\n24576,0.666666667,0,40960\n' |
    cmp - curve/miss-ratio.csv || fail "miss-ratio.csv"
expect 0 inspect curve.jsonl --mrc --json
prints '"enough_bytes": 24576'
expect 1 inspect curve.jsonl --mrc=/no/such/folder/curve.csv
expect 2 inspect sample.jsonl --reader colour=red
says 'reader setting "colour=red": jsonl has none'
printf '{"wddmsim":1,"x-lacks":["no submissions","\\u001b[31m"]}\n{"t":0,"op":"ExitProcess"}\n' >lacks.jsonl
expect 0 inspect lacks.jsonl --mrc
prints "neither Submit nor MakeResident names allocations"
expect 0 inspect lacks.jsonl
prints "what the recording cannot know"
prints "  no submissions"
prints "  ?[31m"
head -n 20 sample.jsonl | sed '$s/"t":[0-9]*/"t":1/' >bad.jsonl
expect 2 inspect bad.jsonl
says "bad.jsonl:20:"
expect 0 inspect bad.jsonl --skip-bad
prints "and 1 bad ones"
expect 2 convert bad.jsonl -o never.wtrace
[ ! -e never.wtrace ] || fail "a failed convert left a file"

# The summary is plain text for a file; a terminal gets colours and blocks, unless told otherwise.
expect 0 replay sample.jsonl --no-report -o summary
LC_ALL=C grep -q '[^ -~]' out && fail "a file gets more than plain text"
if command -v script >/dev/null && locale -a 2>/dev/null | grep -qi '^c.utf-\?8$'; then
    run="$WDDMSIM replay sample.jsonl --no-report -o summary"
    TERM=xterm LC_ALL=C.UTF-8 NO_COLOR='' script -qc "$run" /dev/null >tty
    grep -q '\[1mcall' tty || fail "a terminal gets no colours"
    grep -q '█' tty || fail "a terminal gets no blocks"
    TERM=xterm LC_ALL=C NO_COLOR=1 script -qc "$run -q" /dev/null >tty
    without_sanitizer tty >heard
    [ ! -s heard ] || fail "-q: something on the terminal"
    TERM=xterm LC_ALL=C NO_COLOR=1 script -qc "$run 2>/dev/null" /dev/null | tr -d '\r' >tty
    LC_ALL=C grep -q '[^ -~]' tty && fail "NO_COLOR and no UTF-8, and yet more than plain text"
    grep -q '^local ' tty || fail "no summary on a terminal"
fi

# The demonstration, and a replay of what it leaves.
expect 0 demo
for file in frames.jsonl summary.json latency.csv residency.csv hardware.yaml; do
    [ -s "wddmsim-demo/$file" ] || fail "demo: no $file"
done
expect 0 replay wddmsim-demo/frames.jsonl --no-report --check -o again
cmp wddmsim-demo/latency.csv again/latency.csv || fail "two replays differ"

# --check follows every chain; who delayed whom comes out the same, in a run that is not followed
# to its end.
expect 0 generate frames --processes 3 -o chains.wtrace
for check in "" --check; do
    expect 0 replay chains.wtrace -q --no-report $check -s segments.local.size=1GiB -o "chains$check"
    sed -n '/^  "blame": {/,/^  }/p' "chains$check/summary.json" >"chains$check/blame"
done
grep -q '"followed_share": 0\.' chains/blame || fail "every call was followed: nothing was left out"
cmp chains/blame chains--check/blame || fail "--check changes who delayed whom"

# On one processor the recorder has no thread of its own; the results are the same.
one=$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')
options="-q --no-report --calls --timeline --check -s segments.local.size=2GiB"
expect 0 replay sample.jsonl $options -o beside
taskset -c "$one" "$WDDMSIM" replay sample.jsonl $options -o alone || fail "replay on one processor"
[ "$(ls beside)" = "$(ls alone)" ] || fail "other results on one processor: $(ls alone)"
for file in beside/*.csv beside/timeline.json.gz; do
    cmp "$file" "alone/${file#*/}" || fail "another $file on one processor"
done

# The seed of a replay: the same victims again, others with another one; it is told.
random="$WDDMSIM replay sample.jsonl -q --no-report -s vidmm.eviction=random -s segments.local.size=2GiB"
for run in 7 7again 8; do
    $random --seed "${run%again}" -o "seed$run" || fail "--seed $run"
done
[ "$(wc -l <seed7/paging.csv)" -gt 100 ] || fail "too few evictions for a test of chance"
cmp -s seed7/paging.csv seed7again/paging.csv || fail "the same seed evicts other allocations"
cmp -s seed7/paging.csv seed8/paging.csv && fail "the seed of a replay changes nothing"
grep -q '"seed": 8' seed8/summary.json || fail "the seed is not in the summary"

# What can be read only once is not read again for its checksum.
mkfifo pipe
cat sample.jsonl >pipe &
expect 0 replay pipe --no-report -q -o piped
grep -q '"trace_sha256": ""' piped/summary.json || fail "a pipe has a checksum"

# What a trace holds does not reach the terminal as control codes.
printf '{"wddmsim":1,"source":"\\u001b[31m"}\n{"t":0,"op":"ExitProcess"}\n' >red.jsonl
expect 0 inspect red.jsonl
prints "source      ?[31m"

# The manual page.
"$WDDMSIM" __man >wddmsim.1 || fail "no manual page"
if command -v mandoc >/dev/null; then
    mandoc -Tlint -Wwarning wddmsim.1 || fail "mandoc does not like the manual page"
fi

conclude
