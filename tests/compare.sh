#!/bin/sh
# `wddmsim compare` on results made by hand: differences, intervals, what --fail-if answers.
set -u

export LC_ALL=C
WDDMSIM=${WDDMSIM:-$PWD/wddmsim}
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 99
failed=0

# result FOLDER SEED P99 TRANSFER: a result whose Submits' p99 consists of the transfer and queue.
result() {
    mkdir -p "$1"
    cat >"$1/summary.json" <<END
{"run": {"seed": $2, "trace": "t", "profile": "p"},
 "calls": {"Submit": {"count": 100,
   "latency_ns": {"mean": 1000, "p50": 900, "p99": $3},
   "blame_at_ns": {"p50": null, "p99": {"transfer": $4, "queue": $(($3 - $4))}}}},
 "paging": {"page_in_bytes": 1048576}}
END
}

# expect STATUS TEXT ARGUMENT...: what compare must exit with and print somewhere.
expect() {
    status=$1 text=$2
    shift 2
    "$WDDMSIM" compare "$@" >out 2>&1
    got=$?
    if [ $got -ne "$status" ] || ! { tr -s ' ' <out && echo; } | grep -qF -e "$text"; then
        echo "compare $*: exit $got, expected $status and \"$text\":"
        cat out
        failed=1
    fi
}

result a 1 5000000 4000000
result b 1 1000000 300000
# 5 ms - 1 ms = 4 ms, of which 4 - 0.3 = 3.7 ms are transfers, 1 - 0.7 = 0.3 ms the queue.
expect 0 'Submit, p99 5.00 ms 1.00 ms -4.00 ms -80.0 %' a b
expect 0 'p99 of Submit fell by 4.00 ms: transfer -3.70 ms, queue -300 us' a b
expect 0 'paged in 1.00 MiB 1.00 MiB same' a b
# A share that falls from 90 % to 80 % falls by 10 points, which is a ninth of it.
for share in 0.9 0.8; do
    mkdir "hits$share"
    echo '{"run": {"seed": 1}, "calls": {}, "residency": {"hit_ratio": '$share'}}' >"hits$share/summary.json"
done
expect 0 'resident when submitted 90.0 % 80.0 % -10 points -11.1 %' hits0.9 hits0.8

p=calls.Submit.latency_ns.p99
expect 0 '' a b -q --fail-if "$p > +5%"
expect 1 "a: $p > +5%: 5.00 ms, in b 1.00 ms" b a -q --fail-if "$p > +5%" # 400 % more
expect 0 '' b a -q --fail-if "$p > +400%"               # exactly so: not above
expect 1 "$p >= +400%" b a -q --fail-if "$p >= +400%"
expect 1 "$p > +3999us" b a -q --fail-if "$p > +3999us"
expect 0 '' b a -q --fail-if "$p > +4ms"
expect 1 "$p < -3ms" a b -q --fail-if "$p < -3ms"
expect 1 "$p > 4ms" b a -q --fail-if "$p > 4ms"         # the value itself
expect 0 '' a b -q --fail-if "$p > 4ms"
expect 1 'p99 > 4ms' b a -q --fail-if 'p99 > 4ms'       # by its short name
expect 2 'there is no number calls.Lock.latency_ns.p99' a b --fail-if 'calls.Lock.latency_ns.p99 > 1'
expect 2 'expected PATH > LIMIT' a b --fail-if "$p"
expect 2 'expected a number' a b --fail-if "$p > +5MiB"
expect 2 'at least two results' a
expect 2 'no such folder' a nowhere

# Replications: of seeds 1 and 2 the differences are 5 and 7 ns; the half width of the interval is
# t(0.975; 1) s / sqrt(2) = 12.706 x 1.4142 / 1.4142 = 12.7. With a third, 6: s = 1, and
# t(0.975; 2) / sqrt(3) = 4.3027 / 1.7321 = 2.48. Seed 9 has no partner.
result many/one 1 100 0
result many/two 2 110 0
result more/two 2 117 0
result more/one 1 105 0
expect 0 'Submit, p99 105 ns 111 ns +6 ns +5.7 % +- 12.7 ns (may be chance)' many more
result many/three 3 100 0
result more/three 3 106 0
result more/four 9 106 0
expect 0 '+6 ns' many more
expect 0 '+- 2.48 ns' many more

# The page: of a hundred calls half take 100 ns in both, the others 1 us and 3 us: quantiles above the
# median move by 2 us, those from 1 % to it stay, and none is told beyond 1 % and 99 %, where the
# axis has -2 and 2. Of the p99's 4 ms, 3.7 are transfers (cause 3), 0.3 the queue (6): 92.5 %, 7.5 %.
if command -v gnuplot >/dev/null; then
    for side in a:1000 b:3000; do
        printf 'op,source,latency_ns,share,count\nSubmit,simulated,100,0.5,50\nSubmit,simulated,%s,1,50\n' \
            "${side#*:}" >"${side%:*}/latency-cdf.csv"
    done
    "$WDDMSIM" compare a b -q -o page || failed=1
    awk 'NF == 2 { n++; if ($2 != ($1 > 1e-9 ? 2000 : 0) || $1 < -2.001 || $1 > 2.001) wrong++ }
        END { exit n < 150 || wrong }' page/plots/shifts.dat || { echo "shifts:"; cat page/plots/shifts.dat; failed=1; }
    grep . page/plots/shift-causes.dat >pieces
    printf '1 3 -0.925 0\n1 6 -1 -0.925\n' >expected
    awk '{ print $1 + 0, $2 + 0, $3 + 0, $4 + 0 }' pieces | cmp - expected || { cat pieces; failed=1; }
    sed 's/&nbsp;/ /g' page/report.html >plain
    for text in 'From a to b the median of Submit stays, and its p99 falls by 4.00 ms.' \
        'The largest change is in b: p99 of Submit fell by 4.00 ms: transfer -3.70 ms, queue -300 µs.'; do
        grep -qF "$text" plain || { echo "the page does not say \"$text\""; failed=1; }
    done
    "$WDDMSIM" compare a a -q -o page || failed=1
    grep -q 'No figure: no median or p99 has more or less of any cause' page/report.html || failed=1
fi

# Of replications, curves are of all calls of all runs: half take 100 ns, and of the others of `few` a
# half each 200 and 400, of `lot` all 400. So the quantiles from 75 % down to above 50 % move by 200
# ns, the others stay. In the table, 6 and 2.48 ns of what `many` takes on average, 103.33.
if command -v gnuplot >/dev/null; then
    for run in few/one:200 few/two:400 lot/one:400 lot/two:400; do
        seed=1
        [ "${run#*two}" = "$run" ] || seed=2
        result "${run%:*}" $seed 100 0
        printf 'op,source,latency_ns,share,count\nSubmit,simulated,100,0.5,50\nSubmit,simulated,%s,1,50\n' \
            "${run#*:}" >"${run%:*}/latency-cdf.csv"
    done
    "$WDDMSIM" compare few lot -q -o page || failed=1
    awk 'NF == 2 { n++; share = 1 / (1 + 10 ^ -$1); edge = share - 0.5 < 1e-9 || share > 0.75 + 1e-9
            if ($2 != (edge ? 0 : 200)) wrong++ }
        END { exit n < 150 || wrong }' page/plots/shifts.dat || { echo "shifts of replications:"; cat page/plots/shifts.dat; failed=1; }
    awk 'NF == 2 && $1 == 200 { print $2 + 0 }' page/plots/compare.dat >share
    echo 0.75 | cmp - share || { cat page/plots/compare.dat; failed=1; }
    for side in many more; do
        for run in $side/*; do cp a/latency-cdf.csv $run; done
    done
    "$WDDMSIM" compare many more -q -o page || failed=1
    sed 's/&nbsp;/ /g' page/report.html >plain
    for text in '(+5.8 % ± 2.4 %)' '<td>more</td><td>4</td>'; do
        grep -qF "$text" plain || { echo "the page of replications does not say \"$text\""; failed=1; }
    done
fi

# Figures as png and pdf, by what their first bytes say; a new SVG takes the old ones away.
if command -v gnuplot >/dev/null; then
    "$WDDMSIM" generate frames --frames 3 --processes 1 -o short.wtrace
    "$WDDMSIM" replay short.wtrace -q -o short
    "$WDDMSIM" report short --format png,pdf >out 2>&1 || { cat out; failed=1; }
    for svg in short/plots/*.svg; do
        head -c 8 "${svg%svg}png" | grep -q PNG || { echo "no ${svg%svg}png"; failed=1; }
        head -c 5 "${svg%svg}pdf" | grep -q %PDF- || { echo "no ${svg%svg}pdf"; failed=1; }
    done
    "$WDDMSIM" report short >out 2>&1
    ls short/plots | grep -E 'png|pdf' && { echo "old figures are still there"; failed=1; }
    "$WDDMSIM" report short --format tiff >out 2>&1
    [ $? -eq 2 ] || { echo "tiff: expected exit 2"; failed=1; }
fi
exit $failed
