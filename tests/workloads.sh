#!/bin/sh
# Every generator from the command line: its help, a trace that inspect finds nothing odd in, and a replay of it in which
# nothing is wrong: invariants hold, no call fails, nothing has to be assumed, nobody waits for ever.
. "$SOURCE/tests/common.sh"

# replays NAME PROFILE ARGUMENT...: generates and replays.
replays() {
    name=$1
    profile=$2
    shift 2
    what="$name $* on $profile"
    "$WDDMSIM" generate "$name" -o trace.wtrace "$@" || fail "$what: not generated"
    "$WDDMSIM" inspect trace.wtrace >facts || fail "$what: inspect fails"
    [ "$(sed -n '/^oddities/,$p' facts | tr -d ' \n')" = oddities'none' ] || fail "$what: oddities: $(cat facts)"
    rm -rf out
    "$WDDMSIM" replay trace.wtrace -H "$profile" --check --no-report -q -o out >said 2>&1 ||
        fail "$what: replay: $(cat said)"
    grep '"STATUS_' out/summary.json | grep -v STATUS_PENDING && fail "$what: calls failed"
    sed -n '/"assumptions"/,/}/p' out/summary.json | grep '[1-9]' && fail "$what: something was assumed"
}

"$WDDMSIM" generate list >list || fail "generate list"
names=$(sed -n '2,$s/ .*//p' list)
[ "$(echo "$names" | wc -l)" -ge 10 ] || fail "only these workloads: $names"
for name in $names; do
    "$WDDMSIM" generate "$name" --help >help || fail "generate $name --help"
    grep -q 'default: ' help || fail "generate $name --help says no defaults"
    replays "$name" rtx3070-8g
done

# The page: every workload has its section and its picture, and every command there works.
page=$SOURCE/workloads/WORKLOADS.md
for name in $names; do
    grep -q "^## \`$name\`\$" "$page" || fail "WORKLOADS.md has no section on $name"
    grep -q "(../doc/workloads/$name.png)" "$page" || fail "WORKLOADS.md has no picture of $name"
    [ -s "$SOURCE/doc/workloads/$name.png" ] || fail "no picture of $name"
done
sed -n 's/^    wddmsim generate //p' "$page" >commands
[ "$(wc -l <commands)" -ge 12 ] || fail "WORKLOADS.md has only $(wc -l <commands) commands"
while read -r line; do
    # shellcheck disable=SC2086 # words
    "$WDDMSIM" generate $line || fail "WORKLOADS.md: wddmsim generate $line"
done <commands

# Too little memory for what they do.
replays frames rtx3070-8g --textures 300 --texture-size 32MiB --idle 20 --turns 1 --passes 3 --frames 100
replays training rtx3070-8g --batch 3 --residency in-turn --steps 3
replays swap rtx3070-8g --quantum 200ms --work 1s --residency in-turn
replays scan rtx3070-8g --blocks 6000 --passes 2
replays llm rtx3070-8g --requests 30 --rate 20 --cache 1GiB --weights 6GiB
# Without explicit residency.
replays scan ideal --residency per-submit --blocks 600 --passes 3
replays zipf ideal --residency per-submit --blocks 2000 --references 3000
replays scan ideal --residency fault --blocks 600 --passes 3
replays swap v100-16g --residency fault --working-set 9GiB --work 100ms

conclude
