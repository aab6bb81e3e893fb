#!/bin/sh
# The ready what-ifs: each runs to its table, every point of it; what show prints is the same study.
set -u

export LC_ALL=C
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 99
failures=0

fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

"$WDDMSIM" scenario list >list || fail "list"
names=$(sed -n '2,$s/ .*//p' list)
[ -n "$names" ] || fail "there are none"
for name in $names; do
    "$WDDMSIM" scenario "$name" --no-report >out 2>err || fail "$name: exit status $?: $(cat err)"
    [ -s "wddmsim-$name/sweep.csv" ] || fail "$name: no table"
    grep -q '"title": "..*"' "wddmsim-$name/sweep.json" || fail "$name: no title"
    grep -q '"question": "..*"' "wddmsim-$name/sweep.json" || fail "$name: no question"
    cut -d, -f 3 "wddmsim-$name/sweep.csv" | grep -qv 'state\|done' && fail "$name: points are not done: $(cat err)"
    "$WDDMSIM" scenario show "$name" >"$name.yaml" || fail "$name: show"
    "$WDDMSIM" sweep "$name.yaml" -o "wddmsim-$name" --no-report -q -v 2>err || fail "$name.yaml: $(cat err)"
    grep -q ' 0 were run' err || grep -q 'find:\|minimise:\|maximise:' "$name.yaml" || fail "$name.yaml is another study: $(cat err)"
done

"$WDDMSIM" scenario lazy-versus-eager -q -o mine -H igpu-uma --replicate 1 || fail "with options"
[ -s mine/report.html ] || fail "no report"
grep -q '"hardware": "igpu-uma"' mine/sweep.json || fail "the command line has not the last word"
expect() {
    "$WDDMSIM" scenario "$@" >out 2>err
    [ $? -eq 2 ] || fail "scenario $*: not a usage error"
}
expect
expect lazy-versus-eage
grep -q 'did you mean lazy-versus-eager?' err || fail "no suggestion: $(cat err)"
expect show nothing
expect lazy-versus-eager --vary scheduler.context-switch=never
grep -q 'no point can be run' err || fail "no reason: $(cat err)"

[ "$failures" -eq 0 ] || echo "$failures failures"
[ "$failures" -eq 0 ]
