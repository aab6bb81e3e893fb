#!/bin/sh
# Sweeps: the same results whatever ran when, nothing lost to kills and full disks, messages that
# help, thresholds that are known.
. "$SOURCE/tests/common.sh"
subcommand=sweep
mounted=
trap 'for folder in $mounted; do umount "$folder"; done; rm -rf "$scratch"' EXIT

# same A B: the folders hold the same points and tables.
same() {
    for file in sweep.csv sweep.json; do
        cmp "$1/$file" "$2/$file" || fail "$1 and $2: $file differs"
    done
    [ "$(ls "$1/points")" = "$(ls "$2/points")" ] || fail "$1 and $2 have other points"
    for point in "$1"/points/*.json; do
        cmp -s "$point" "$2/points/${point##*/}" || fail "$1 and $2: $point differs"
    done
}

sample=$SOURCE/traces/samples/frames.jsonl
quick="$sample --no-report -q --vary segments.local.size=2GiB..5GiB:1GiB --vary scheduler.context-switch=lazy,eager"

# The same bytes for any number of workers, any split into shards, any order.
expect 0 $quick -o one -j 1
expect 0 $quick -o two -j 2
expect 0 $quick -o many -j 7
same one two
same one many
for shard in 3 1 2; do
    expect 0 $quick -o shards --shard $shard/3
    [ ! -e shards/sweep.csv ] || fail "a shard wrote the table"
done
expect 0 $quick -o shards --merge
same one shards
cmp one/study.yaml shards/study.yaml || fail "another study"
[ "$(grep -c ',point,done,' one/sweep.csv)" -eq 8 ] || fail "not 8 points: $(cat one/sweep.csv)"
[ "$(grep -c ',baseline,done,' one/sweep.csv)" -eq 1 ] || fail "not one baseline"
[ ! -e one/traces ] || fail "the decoded trace is left behind"

# What is finished is never run again; what is damaged or missing is, and more values only add.
touch -d '2001-01-01' two/points/*.json
expect 0 $quick -o two -v
says "9 points were there already, 0 were run"
victim=$(ls two/points | head -n 1)
rm "two/points/$victim"
other=$(ls two/points | head -n 1)
head -c 100 "one/points/$other" >"two/points/$other"
expect 0 $quick -o two -v
says "7 points were there already, 2 were run"
[ "$(find two/points -newermt 2002-01-01 | wc -l)" -eq 3 ] || fail "other points were run, too"
same one two
expect 0 $sample --no-report -q --vary segments.local.size=2GiB,3GiB,6GiB -o two -v
says "3 points were there already, 1 were run"
expect 1 $quick -o none --merge
says "9 points are not there yet"

# A study is the command line, written down: from a file, and from what a sweep leaves.
cat >study.yaml <<END
title: Memory and switches
question: >
  How much of each?
trace: $sample
vary:
  segments.local.size: 2GiB..5GiB:1GiB
  scheduler.context-switch: [lazy, eager]
END
expect 0 study.yaml --no-report -q -o study
cmp one/sweep.csv study/sweep.csv || fail "the study file gives another table"
grep -q '"title": "Memory and switches"' study/sweep.json || fail "no title"
expect 0 study/study.yaml --no-report -q -o again
same study again
cmp study/study.yaml again/study.yaml || fail "a study changes when it is read and written"
expect 0 study.yaml --no-report -q -o less --vary segments.local.size=2GiB
[ "$(grep -c ',point,done,' less/sweep.csv)" -eq 2 ] || fail "the command line has not the last word"
cat >named.yaml <<END
trace: $sample
set: {scheduler: {queue-depth: 3}}
vary:
  link:
    slow: {link.bandwidth-in: 8GB/s, link.bandwidth-out: 8GB/s}
    fast: {link.bandwidth-in: 32GB/s, link.bandwidth-out: 32GB/s}
  pace: [recorded, think]
metric: [calls.Submit.latency_ns.p50, hits]
cost: {link: {slow: 0, fast: 50}}
pareto: cost,p50
replicate: 2
END
expect 0 named.yaml -o named
[ "$(grep -c ',point,done,' named/sweep.csv)" -eq 8 ] || fail "not 2 x 2 x 2 points"
prints "10 points: 10 done"
prints "named/report.html"
cp named/report.html before.html
"$WDDMSIM" report named >out 2>err || fail "the report cannot be drawn again: $(cat err)"
cmp before.html named/report.html || fail "the report is drawn otherwise from the table"
for bad in 'vary: [' 'nonsense: 1' 'pace: fast' 'vary: {link.latncy: 1us}' 'seed: many' '- a' 'check: maybe'; do
    printf 'trace: %s\n%s\n' "$sample" "$bad" >bad.yaml
    expect 2 bad.yaml --vary link.latency=1us,2us
    says "bad.yaml:"
done
printf 'trace: x\npace: fast\n' >bad.yaml
expect 2 bad.yaml
says "bad.yaml:2: --pace: expected recorded, think or asap, got \"fast\""
printf 'trace: x\n\nvary:\n  segments.local.size: 1GiB\n  link.latncy: 1us\n' >bad.yaml
expect 2 bad.yaml
says "bad.yaml:5: vary: link.latncy: no such key, did you mean link.latency?"
printf 'metrik: p99\n' >bad.yaml
expect 2 bad.yaml
says "bad.yaml:1: no such option \"metrik\", did you mean metric?"

# Misuse is told at once.
expect 2 $sample
says "nothing is varied"
expect 2 --vary link.latency=1us,2us
says "expected a trace"
expect 2 $sample --vary segments.local.size=1GiB,2Gib
says 'expected a size such as 64KiB or 8GiB, got "2Gib"'
expect 2 $sample --vary segments.local.size=1GiB..2GiB
says "a grid takes listed values"
expect 2 $sample --vary link.latency=1us --vary link.latency=2us
says "varied twice"
expect 2 $sample --vary seed=1,2
says "--replicate N"
expect 2 $sample --find segments.local.size=1GiB..2GiB
says "--such-that"
expect 2 $sample --find segments.local.size=1GiB..2GiB --such-that "p99 <= 3GiB"
says "expected a time such as 16ms"
expect 2 $sample --vary link.latency=1us,2us --design sobol
says "expected sobol:N"
expect 2 $sample --vary link.latency=1us,2us --shard 3/2
expect 2 $sample - --vary link.latency=1us,2us
says "expected a file, got standard input"
expect 2 no-such-trace --vary link.latency=1us,2us
says "no-such-trace: No such file or directory"
[ ! -e wddmsim-sweep ] || fail "a sweep that could not start left a folder"

# A point that cannot be run is told before anything is, and the others are.
expect 0 $sample --no-report -q --vary segments.local.size=128MiB,3GiB,0B -o invalid
says "invalid: segments.local.size=128MiB: rtx3070-8g: segments.local.cpu-visible: expected at most"
says "2 of 4 points are invalid; the others are run"
grep -q '^2,point,invalid,134217728,1,,.*cpu-visible' invalid/sweep.csv || fail "no reason in the table"
expect 2 $sample --vary segments.local.size=0B -H ideal -s segments.aperture.size=0B
says "no point can be run"

# A trace that is no good: each point fails, and the message names the file as it was given.
head -n 20 "$sample" | sed '$s/"t":[0-9]*/"t":1/' >bad.jsonl
expect 1 bad.jsonl --vary link.latency=1us,2us -o bad
says "bad.jsonl:20:"
sed 's/"device":1,/"device":1,"x":1,/;4q' "$sample" >bad2.jsonl
expect 1 bad2.jsonl --vary link.latency=1us,2us -o bad
says "bad2.jsonl"
! grep -q traces/ err || fail "a message names a file of the folder: $(cat err)"

# Several traces are a key, too; one trace by two names is run once.
cp "$sample" copy.jsonl
expect 0 "$sample" copy.jsonl --no-report -q -o traces --vary link.latency=1us,2us
[ "$(ls traces/points | wc -l)" -eq 3 ] || fail "equal traces were not run once"
grep -q ',copy.jsonl,2000,' traces/sweep.csv || fail "no column of traces"

# Thresholds that are known: passes over blocks in a circle fit from their own size on, and one
# page less does not do.
expect 0 --workload scan -H ideal --vary workload.blocks=16,48,100 --no-report -q -o threshold \
    --find segments.local.size=4MiB..1GiB --such-that 'evictions <= 0' --resolution 4KiB
for blocks in 16 48 100; do
    bytes=$((blocks * 2097152))
    tr -d ' \n' <threshold/sweep.json |
        grep -q "\"found\":{\"label\":\"[0-9KMiGB]*\",\"value\":$bytes},\"next\":{\"label\":\"[0-9KMiGB]*\",\"value\":$((bytes - 4096))}" ||
        fail "the threshold of $blocks blocks is not $bytes bytes"
done
expect 0 --workload scan -H ideal -o least -q --no-report --minimise time --budget 20 \
    --over segments.local.size=16MiB..256MiB
grep -q '"end": "found"' least/sweep.json || fail "no minimum"
expect 0 --workload scan -H ideal -o sample -q --design saltelli:4 \
    --vary segments.local.size=16MiB..256MiB --vary link.bandwidth-in=1GB/s..8GB/s
[ "$(grep -c ',point,done,' sample/sweep.csv)" -eq 16 ] || fail "not 4 x (2 + 2) points"

# Memory that is refused is no time saved: 1 GiB does not fit into 1 GiB beside what contexts keep there.
expect 0 --workload swap -s workload.working-set=1GiB -s workload.work=10ms --no-report -o refused \
    --vary segments.local.size=1GiB,3GiB
prints "At 1 of 3 points calls fail that do not at the baseline, as at segments.local.size=1GiB (MakeResident: STATUS_NO_MEMORY,"
[ "$(grep -c 'MakeResident: STATUS_NO_MEMORY' refused/sweep.csv)" -eq 1 ] || fail "the table does not say which calls failed"

# Kills. These points take long enough to be caught at work.
slow="--workload frames -s workload.frames=3000 --no-report --vary segments.local.size=1GiB..4GiB:1GiB"
expect 0 $slow -q -o whole

# caught PARENT FOLDER [OTHER]: a worker that runs a point, and is not OTHER, is stopped in it.
caught() {
    tries=0
    until ls "$2"/traces/*.wtrace >/dev/null 2>&1 &&
        worker=$(pgrep -P "$1" | grep -vx "${3:-none}" | head -n 1) &&
        [ -n "$worker" ] && kill -STOP "$worker" 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -lt 500 ] || return 1
        sleep 0.01
    done
}

"$WDDMSIM" sweep $slow -q -o worker -j 2 >out 2>err &
sweep=$!
caught $sweep worker && kill -9 "$worker" || fail "no worker was caught"
wait $sweep || fail "a killed worker was not replaced: $(cat err)"
same whole worker

"$WDDMSIM" sweep $slow -q -o twice -j 1 >out 2>err &
sweep=$!
caught $sweep twice && kill -9 "$worker" || fail "no worker was caught"
caught $sweep twice "$worker" && kill -9 "$worker" || fail "no second worker was caught"
wait $sweep
[ $? -eq 1 ] || fail "a point that died twice is no failure"
says "ended by signal 9"
grep -q ',point,failed,1073741824,1,,.*ended by signal 9 (Killed)' twice/sweep.csv || fail "no failed point in the table"
[ "$(grep -c ',done,' twice/sweep.csv)" -eq 4 ] || fail "the other points were not run"
expect 0 $slow -q -o twice
same whole twice

"$WDDMSIM" sweep $slow -q -o parent -j 2 >out 2>err &
sweep=$!
caught $sweep parent && kill -9 $sweep || fail "no worker was caught"
wait $sweep 2>/dev/null
sleep 0.2
! grep -q '^State:[[:space:]]*[A-Y]' "/proc/$worker/status" 2>/dev/null || fail "a worker outlives its parent"
touch "parent/points/.0123.$(hostname | tr -c 'A-Za-z0-9\n' _).999999.part"
expect 0 $slow -q -o parent
same whole parent
[ -z "$(find parent -name '*.part' -o -name '*.tmp')" ] || fail "leftovers: $(find parent -name '.*')"

"$WDDMSIM" sweep $slow -q -o interrupted -j 1 >out 2>err &
sweep=$!
caught $sweep interrupted && kill -INT $sweep || fail "no worker was caught"
wait $sweep
[ $? -eq 130 ] || fail "interrupted: another exit status"
says "the same command goes on from there"
expect 0 $slow -q -o interrupted
same whole interrupted

# A full disk and a read-only folder, where this user may mount one.
mkdir disk
if mount -t tmpfs -o size=400k tmpfs disk 2>/dev/null; then
    mounted=$scratch/disk
    expect 1 $quick -o disk/full -j 1
    # A worker's first line is told; AddressSanitizer's is about SimGrid's stacks.
    grep -q 'ASan is ignoring' err || says "No space left on device"
    kept=$(ls disk/full/points | wc -l)
    [ "$kept" -ge 1 ] && [ "$kept" -lt 9 ] || fail "full disk: $kept points kept"
    mount -o remount,size=4m disk
    expect 0 $quick -o disk/full -v
    says "$kept points were there already"
    same one disk/full
    mount -o remount,ro disk
    expect 1 $quick -o disk/full
    says "Read-only file system"
    expect 1 $quick -o disk/other
    says "Read-only file system"
    mount -o remount,rw disk
    same one disk/full
else
    echo "not tested: a full disk (only root may mount one)"
    [ "$(id -u)" -eq 0 ] || {
        mkdir closed && chmod a-w closed
        expect 1 $quick -o closed/folder
        says "Permission denied"
    }
fi

conclude
