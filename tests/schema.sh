#!/bin/sh
# summary.json of several replays against analysis/summary.schema.json, which is what users are
# promised, and sweep.json of several sweeps against analysis/sweep/sweep.schema.json; and that the
# schemas do refuse what they should. Needs python3-jsonschema.
set -eu

for python in python3 /usr/bin/python3; do
    "$python" -c 'from jsonschema import Draft202012Validator' 2>/dev/null && break
    python=
done
[ -n "$python" ] || {
    echo "skipped: no python3 with jsonschema (Debian: python3-jsonschema)"
    exit 77
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
"$WDDMSIM" generate frames --frames 300 --processes 2 -o frames.wtrace
"$WDDMSIM" replay frames.wtrace -q --no-report -s segments.local.size=1GiB -o plain
"$WDDMSIM" replay frames.wtrace -q --no-report --calls -H igpu-uma --from 10ms --to 20ms -o cut
echo '{"wddmsim": 1, "source": "nothing"}' >empty.jsonl
"$WDDMSIM" replay empty.jsonl -q --no-report -o empty
set -- plain cut empty
number=0
for trace in "$SOURCE"/tests/scenarios/*.jsonl; do # an oddity each; one in eight will do
    number=$((number + 1))
    [ $((number % 8)) -eq 0 ] || continue
    name=$(basename "$trace" .jsonl)
    "$WDDMSIM" replay "$trace" -H ideal -q --no-report --skip-bad -o "$name" >/dev/null 2>&1 || true
    [ ! -f "$name/summary.json" ] || set -- "$@" "$name"
done

"$python" - "$SOURCE/analysis/summary.schema.json" "$@" <<'END'
import copy, json, sys
from jsonschema import Draft202012Validator

schema = json.load(open(sys.argv[1]))
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
bad = 0
for folder in sys.argv[2:]:
    summary = json.load(open(folder + "/summary.json"))
    for error in validator.iter_errors(summary):
        bad += 1
        print(folder, "/".join(map(str, error.absolute_path)), error.message[:200])

good = json.load(open("plain/summary.json"))
def refused(change):
    damaged = copy.deepcopy(good)
    change(damaged)
    return not validator.is_valid(damaged)

for name, change in {
    "no calls": lambda s: s.pop("calls"),
    "a negative count": lambda s: s["calls"]["Submit"].update(count=-1),
    "no cpu among the causes": lambda s: s["calls"]["Submit"]["blame_ns"].pop("cpu"),
    "a text for a quantile": lambda s: s["calls"]["Submit"]["latency_ns"].update(p50="long"),
    "a warning that is a number": lambda s: s["warnings"].append(7),
    "frames without stutters": lambda s: s["presents"].pop("stutters"),
    "an interval without its mean": lambda s: s["calls"]["Submit"]["steady_ns"].pop("mean"),
}.items():
    if not refused(change):
        bad += 1
        print("the schema accepts", name)
print(len(sys.argv) - 2, "summaries,", bad, "complaints")
sys.exit(bad != 0)
END

sample=$SOURCE/traces/samples/frames.jsonl
"$WDDMSIM" sweep "$sample" -q --no-report -o grid --replicate 2 \
    --vary segments.local.size=128MiB,4GiB --vary pace=recorded,think --pareto p99,hits
"$WDDMSIM" sweep --workload scan -H ideal -q --no-report -o find --vary workload.blocks=8,12 \
    --find segments.local.size=8MiB..64MiB --such-that 'evictions < 1'
"$WDDMSIM" sweep --workload scan -H ideal -q --no-report -o least --budget 6 \
    --minimise time --over segments.local.size=8MiB..64MiB
"$WDDMSIM" sweep --workload scan -H ideal -q --no-report -o sample --design lhs:4 \
    --vary segments.local.size=8MiB..64MiB
"$python" - "$SOURCE/analysis/sweep/sweep.schema.json" grid find least sample <<'END'
import copy, json, sys
from jsonschema import Draft202012Validator

schema = json.load(open(sys.argv[1]))
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
bad = 0
for folder in sys.argv[2:]:
    table = json.load(open(folder + "/sweep.json"))
    for error in validator.iter_errors(table):
        bad += 1
        print(folder, "/".join(map(str, error.absolute_path)), error.message[:200])

good = json.load(open("find/sweep.json"))
for name, change in {
    "a point without a state": lambda t: t["points"][0].pop("state"),
    "a text for a metric": lambda t: t["points"][0]["metrics"].update({"paging.evictions": "few"}),
    "an end that is none": lambda t: t["search"]["results"][0].update(end="perhaps"),
    "no metrics": lambda t: t.update(metrics=[]),
}.items():
    damaged = copy.deepcopy(good)
    change(damaged)
    if validator.is_valid(damaged):
        bad += 1
        print("the schema accepts", name)
print(len(sys.argv) - 2, "sweeps,", bad, "complaints")
sys.exit(bad != 0)
END
