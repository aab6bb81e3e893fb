#!/bin/sh
# Replays tests/scenarios/*.jsonl and compares with what each says must come out, to the nanosecond.
#
# The header of a scenario may carry
#   x-why      how the expected values were derived
#   x-args     arguments of `wddmsim replay` (without it: -H ideal)
#   x-exit     the exit status, 0 if left out
#   x-message  a text that standard error must contain
#   x-checked  expectations compared, if not all that are written in the file
# Beside it, NAME.calls.csv lists columns of calls.csv, `index` first, and some of its rows;
# NAME.summary lists texts that summary.json must contain, its white space squeezed.
#
#   scenarios.sh [NAME...]   all of them, or those named
set -u

export LC_ALL=C
ulimit -t 60        # seconds of processor time: a scenario takes milliseconds, one that runs
ulimit -f 100000    # away must fill neither them nor the disk
WDDMSIM=${WDDMSIM:-$PWD/wddmsim}
SOURCE=${SOURCE:-$(dirname "$0")/..}
SOURCE=$(cd "$SOURCE" && pwd) || exit 99
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
cd "$SOURCE/tests/scenarios" || exit 99
passed=0 failed=0

# field NAME: the header's text or number of that name.
field() {
    sed -n '1s/.*"'"$1"'": *"\([^"]*\)".*/\1/p; 1s/.*"'"$1"'": *\([0-9][0-9]*\).*/\1/p' "$file"
}

# list NAME: the header's list of that name as shell words.
list() {
    sed -n '1s/.*"'"$1"'": *\[\([^]]*\)\].*/\1/p' "$file" | sed 's/", *"/" "/g'
}

complain() {
    problems="$problems
    $*"
}

# The columns that $1 asks for, of the rows it lists, from calls.csv.
selected() {
    awk -F, -v OFS=, '
        NR == FNR && FNR == 1 { columns = NF; for (i = 1; i <= NF; i++) wanted[i] = $i; next }
        NR == FNR { rows[$1]; next }
        FNR == 1 {
            for (i = 1; i <= NF; i++) place[$i] = i
            for (i = 1; i <= columns; i++) printf "%s%s", wanted[i], i < columns ? "," : "\n"
            next
        }
        $1 in rows {
            line = $1
            for (i = 2; i <= columns; i++)
                line = line "," (wanted[i] in place ? $place[wanted[i]] : "no such column")
            print line
        }' "$1" "$scratch/out/calls.csv" | { IFS= read -r head && echo "$head" && sort -n; }
}

look_at_results() {
    squeezed=$(tr -s ' \n' ' ' <"$scratch/out/summary.json")
    checked=$(field x-checked)
    [ -n "$checked" ] ||
        checked=$(sed 1d "$file" | grep -oE '"(status|dur|done)":' | wc -l | tr -d ' ')
    case $squeezed in
    *"\"expectations\": { \"checked\": $checked, "*) ;;
    *) complain "not every expectation was compared: $checked are written down, summary.json has" \
        "${squeezed##*\"expectations\":}" ;;
    esac
    while [ -f "${file%.jsonl}.summary" ] && IFS= read -r text; do
        case $squeezed in
        *"$text"*) ;;
        *) complain "summary.json lacks $text" ;;
        esac
    done <<END
$(cat "${file%.jsonl}.summary" 2>/dev/null)
END
    [ ! -f "${file%.jsonl}.calls.csv" ] ||
        selected "${file%.jsonl}.calls.csv" | diff "${file%.jsonl}.calls.csv" - >"$scratch/diff" ||
        complain "calls.csv, expected (<) and simulated (>):
$(cat "$scratch/diff")"
}

run() {
    file=$1.jsonl
    problems=
    wanted=$(field x-exit)
    eval "set -- $(list x-args)"
    [ $# -gt 0 ] || set -- -H ideal
    rm -rf "$scratch/out"
    "$WDDMSIM" replay "$file" "$@" --expect=0ns --check --calls --no-report -q \
        -o "$scratch/out" >"$scratch/stdout" 2>"$scratch/stderr" </dev/null
    status=$?
    [ "$status" -eq "${wanted:-0}" ] ||
        complain "exit status $status, not ${wanted:-0}" "$(cat "$scratch/stderr")"
    message=$(field x-message)
    [ -z "$message" ] || grep -qF -- "$message" "$scratch/stderr" ||
        complain "standard error lacks \"$message\": $(cat "$scratch/stderr")"
    if [ -f "$scratch/out/summary.json" ]; then
        look_at_results
    elif [ "$status" -ne 2 ]; then
        complain "no summary.json"
    fi
}

[ $# -gt 0 ] || set -- *.jsonl
for scenario; do
    scenario=${scenario%.jsonl}
    run "$scenario"
    if [ -z "$problems" ]; then
        echo "pass  $scenario"
        passed=$((passed + 1))
    else
        echo "FAIL  $scenario:$problems"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
