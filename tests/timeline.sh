#!/bin/sh
# timeline.json.gz against the rules of the Trace Event Format: in order of time, slices of a track
# properly nested, stays begun and ended, every arrow from a slice to a slice, each number once; the
# bytes bounded, and what was left out said. Needs python3.
set -eu

command -v python3 >/dev/null || {
    echo "skipped: no python3"
    exit 77
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
"$WDDMSIM" generate frames --frames 60 --processes 2 -o short.wtrace
"$WDDMSIM" generate frames --frames 11000 --processes 2 -o long.wtrace
"$WDDMSIM" replay short.wtrace -q --no-report --timeline -s segments.local.size=512MiB -o short
"$WDDMSIM" replay long.wtrace -q --no-report --timeline -o long
"$WDDMSIM" replay "$SOURCE/tests/scenarios/page-in.jsonl" -H ideal -q --no-report \
    --timeline -o scenario
"$WDDMSIM" replay short.wtrace -q --no-report --timeline -s segments.local.size=512MiB -o again
cmp short/timeline.json.gz again/timeline.json.gz

python3 - <<'END'
import gzip, json, os, re, sys

bad = 0
def complain(folder, text):
    global bad
    bad += 1
    if bad < 20:
        print(folder + ":", text)

def check(folder):
    path = folder + "/timeline.json.gz"
    if os.path.getsize(path) > 100e6:
        complain(folder, "more than 100 MB")
    timeline = json.load(gzip.open(path))
    events = timeline["traceEvents"]
    last, tracks, open_stays, flows, colours = 0, {}, {}, {}, {}
    count = dict.fromkeys("MXbesfC", 0)
    for event in events:
        phase, t = event["ph"], round(event["ts"] * 1000)
        count[phase] += 1
        if t < last:
            complain(folder, "not in order: %s" % event)
        last = t
        track = (event["pid"], event["tid"])
        if phase == "X":
            tracks.setdefault(track, []).append((t, t + round(event["dur"] * 1000)))
            if event["cat"] == "render": # a viewer's colour goes by the name, digits apart
                colours.setdefault(re.sub(" ?[0-9]+", "", event["name"]), set()).add(event["name"])
        elif phase == "b":
            if event["id"] in open_stays:
                complain(folder, "begun twice: %s" % event)
            open_stays[event["id"]] = t
        elif phase == "e":
            if open_stays.pop(event["id"], None) is None:
                complain(folder, "ended without a beginning: %s" % event)
        elif phase in "sf":
            key = (event["id"], phase)
            if key in flows:
                complain(folder, "an arrow with two ends of a kind: %s" % event)
            flows[key] = (track, t)
            if phase == "f" and (event["id"], "s") not in flows:
                complain(folder, "an arrow that arrives before it starts: %s" % event)
    for names in colours.values():
        if len(names) > 1:
            complain(folder, "one colour for the contexts %s" % sorted(names))
    if open_stays:
        complain(folder, "%d stays never end" % len(open_stays))
    for track, slices in tracks.items():
        stack = []
        for start, end in slices:
            while stack and stack[-1] <= start:
                stack.pop()
            if stack and stack[-1] < end:
                complain(folder, "slices of track %s cross at %d ns" % (track, start))
            stack.append(end)
    begins = {track: {start for start, _ in slices} for track, slices in tracks.items()}
    for (number, phase), (track, t) in flows.items():
        if (number, "f" if phase == "s" else "s") not in flows:
            complain(folder, "arrow %d has one end" % number)
        if t not in begins.get(track, ()):
            complain(folder, "arrow %d has no slice at its %s" % (number, phase))
    return timeline["otherData"], count, len(tracks)

for folder in ("short", "long", "scenario"):
    about, count, tracks = check(folder)
    print(folder, tracks, "tracks", count, about)
    if min(count[phase] for phase in "MXC") == 0:
        complain(folder, "something is missing altogether")
    if (about["kept"] == "everything") != (about["left_out"] == "0"):
        complain(folder, "it does not say what was left out")
    if (folder == "long") == (about["left_out"] == "0"):
        complain(folder, "expected that only the long run leaves something out")
sys.exit(bad != 0)
END
