#!/bin/sh
# The ready what-ifs: each runs to its table, every point of it, with one seed; what show prints is the same study. Some of what
# they say is known beforehand.
. "$SOURCE/tests/common.sh"

"$WDDMSIM" scenario list >list || fail "list"
names=$(sed -n '2,$s/ .*//p' list)
[ -n "$names" ] || fail "there are none"
for name in $names; do
    "$WDDMSIM" scenario "$name" --replicate 1 --no-report >out 2>err || fail "$name: exit status $?: $(cat err)"
    [ -s "wddmsim-$name/sweep.csv" ] || fail "$name: no table"
    grep -q '"title": "..*"' "wddmsim-$name/sweep.json" || fail "$name: no title"
    grep -q '"question": "..*"' "wddmsim-$name/sweep.json" || fail "$name: no question"
    cut -d, -f 3 "wddmsim-$name/sweep.csv" | grep -qv 'state\|done' && fail "$name: points are not done: $(cat err)"
    "$WDDMSIM" scenario show "$name" >"$name.yaml" || fail "$name: show"
    "$WDDMSIM" sweep "$name.yaml" -o "wddmsim-$name" --replicate 1 --no-report -q -v 2>err || fail "$name.yaml: $(cat err)"
    grep -q ' 0 were run' err || grep -q 'find:\|minimise:\|maximise:' "$name.yaml" || fail "$name.yaml is another study: $(cat err)"
done

# says NAME FILTER PROGRAM: what awk makes of the table, given the columns by name as at["..."], is not "no".
says() {
    answer=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } $at["role"] == "point" {'"$2"'} END {'"$3"'}' "wddmsim-$1/sweep.csv")
    [ "$answer" = yes ] || fail "$1: $answer"
}

# A step takes 12 ms and what it reads over the link: of 32 parts of the weights those that do not fit into 8 - 3 GiB. Submission
# and interrupt come on top, 0.1 ms.
says fallback-cliff '
    weights = $at["workload.weights_bytes"]; part = weights / 32; beyond = weights - 5 * 2 ^ 30
    parts = beyond > 0 ? int((beyond + part - 1) / part) : 0
    rate = $at["PCIe"] == "gen3" ? 12.3 : $at["PCIe"] == "gen4" ? 25.5 : 55
    over = $at["calls.Submit.latency_ns.p50"] - 12e6 - parts * part / rate
    if (over < 0 || over > 0.2e6) wrong = wrong " " weights " " $at["PCIe"] " by " over' \
    'print (wrong == "") ? "yes" : "another step time:" wrong'
# Two programs that fit in together need no budgets (192 textures); if they do not (224), the work is done in time with budgets only,
# as long as one fits into what the other leaves it (288).
says focus-change '
    time[$at["workload.textures"], $at["vidmm.budget"]] = $at["run.simulated_ns"]' \
    'if (time[192, "none"] != time[192, "weighted"]) print "budgets matter where there is room"
    else if (time[288, "weighted"] > 1.01 * time[192, "none"]) print "not in time with budgets"
    else print (time[224, "none"] > 1.2 * time[224, "weighted"]) ? "yes" : "in time without budgets"'
# belady moves least; and with room for everything nobody moves anything.
says oversubscription '
    moved[$at["segments.local.size_bytes"], $at["vidmm.eviction"]] = $at["paging.page_in_bytes"]; sizes[$at["segments.local.size_bytes"]]' \
    'for (size in sizes)
        if (moved[size, "belady"] > moved[size, "lru"] || moved[size, "belady"] > moved[size, "random"]) wrong = wrong " " size
    print (wrong == "" && moved["7516192768", "lru"] == 0 && moved["2147483648", "belady"] > 0) ? "yes" : "not in this order:" wrong'
# A program that has the adapter to itself, or fits in beside the others, has nothing moved.
says second-process '
    gib = $at["segments.local.size_bytes"] / 2 ^ 30
    if (($at["paging.page_in_bytes"] > 0) != (2.6 * $at["workload.processes"] > gib)) wrong = wrong " " $at["workload.processes"] " in " gib' \
    'print (wrong == "") ? "yes" : "paging where there is room, or none where there is not:" wrong'
# 300 frames and their uploads are fewer than 1000 submissions, and none has more than that moved.
says eviction-throttle '
    if ($at["paging.page_in_bytes"] > 1000 * $at["vidmm.eviction-throttle_bytes"]) wrong = wrong " " $at["vidmm.eviction-throttle_bytes"]' \
    'print (wrong == "") ? "yes" : "more than the throttle allows:" wrong'

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

conclude
