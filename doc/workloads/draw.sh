#!/bin/sh
# Draws what each workload does, as workloads/WORKLOADS.md shows it: NAME.png from a small trace of NAME and, where engines
# are to be seen, from a replay of it.
#
#     doc/workloads/draw.sh [NAME...]        all, unless some are named
#
# WDDMSIM is the program (build/wddmsim).
set -eu

export LC_ALL=C.UTF-8
here=$(cd "$(dirname "$0")" && pwd)
WDDMSIM=${WDDMSIM:-$here/../../build/wddmsim}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# generate NAME ARGUMENT...: the trace as text, in trace.
generate() {
    "$WDDMSIM" generate "$@" -o "$scratch/trace.jsonl"
    mv "$scratch/trace.jsonl" "$scratch/trace"
}

# replay ARGUMENT...: of the trace; engines gets one row for each submission: when the engine began, when it was done, in
# ms, the event's line in the trace.
replay() {
    "$WDDMSIM" replay "$scratch/trace" --calls --no-report -q -o "$scratch/out" "$@"
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
        $column["op"] == "Submit" {
            print ($column["done_ns"] - $column["blame_execute_ns"]) / 1e6, $column["done_ns"] / 1e6, $column["index"] + 2
        }' "$scratch/out/calls.csv" >"$scratch/engines"
}

# events PROGRAM: awk over the trace, with these functions and t in ms.
events() {
    awk '
        function number(name) { return match($0, "\"" name "\":[0-9]+") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) + 0 : -1 }
        function list(name, found) {
            if (!match($0, "\"" name "\":\\[[0-9,]*\\]")) return split("", found)
            return split(substr($0, RSTART + length(name) + 4, RLENGTH - length(name) - 5), found, ",")
        }
        function is(op) { return index($0, "\"op\":\"" op "\"") }
        { t = number("t") / 1e6 }
        '"$1" "$scratch/trace"
}

# draw NAME HEIGHT: gnuplot on standard input, in the scratch folder.
draw() {
    {
        echo "set terminal pngcairo size 1440,$(($2 * 3 / 2)) fontscale 1.35 linewidth 1.4 pointscale 1.4 font 'sans-serif,11' background '#ffffff'"
        cat <<'GNUPLOT'
set encoding utf8
set border 3 linecolor '#666666'
set tics nomirror out scale 0.6 textcolor '#333333'
set grid linecolor '#dddddd' linetype 1 linewidth 0.8
set key noautotitle samplen 1.6 spacing 1.15
set title offset 0,-0.5
array colour[8] = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#7A5C00', '#777777']
set style fill solid 0.85 noborder
# A bar from column 1 to column 2 at a height, so wide.
bar = 0.36
GNUPLOT
        echo "set output '$here/$1.png'"
        cat
    } >"$scratch/$1.gp"
    (cd "$scratch" && gnuplot "$1.gp")
    echo "$here/$1.png"
}

budget() {
    generate budget
    replay
    events 'is("Submit") { print t / 1000, (number("pid") - 1000) / 4 > "frames" }
        is("SetProcessState") && /"Focus"/ { if (NR > 3) print since, t / 1000, program > "focus"; since = t / 1000; program = (number("pid") - 1000) / 4 }
        is("SetProcessState") { last = t / 1000 }
        END { print since, 12, program > "focus" }'
    awk -F, '$2 == "process" && $4 == "local" { print $1 / 1e9, $5 / 1073741824 > ("resident-" ($3 - 1000) / 4) }' "$scratch/out/residency.csv"
    draw budget 480 <<'GNUPLOT'
set multiplot
set lmargin at screen 0.11; set rmargin at screen 0.97
set xrange [0:12]
set tmargin at screen 0.92; set bmargin at screen 0.62
set title 'Who has the focus (bars), and when each program draws a frame (ticks)'
set yrange [1.6:-0.6]
set ytics ('program 1' 0, 'program 2' 1)
set format x ''
plot 'focus' using 1:3:1:2:($3 - 0.42):($3 + 0.42) with boxxyerror fillstyle solid 0.35 linecolor rgb colour[5], \
     for [i = 0:1] 'frames' using 1:($2 == i ? $2 - 0.3 : NaN):(0):(0.6) with vectors nohead linewidth 0.6 linecolor rgb colour[i + 1]
set tmargin at screen 0.52; set bmargin at screen 0.12
set title 'Local memory that each has, of 8 GiB: budgets follow the focus'
set ylabel 'GiB'
set yrange [0:6]
set ytics 2
set format x '%g'
set xlabel 'time, s'
set key at screen 0.97,0.04 right center horizontal
plot 'resident-0' with steps linewidth 2 linecolor rgb colour[1] title 'program 1', \
     'resident-1' with steps linewidth 2 linecolor rgb colour[2] title 'program 2'
unset multiplot
GNUPLOT
}

frames() {
    generate frames --processes 1 --frames 600 --textures 128 --texture-size 8MiB --turns 0.7 --idle 12 --stream 0.3 --seed 5
    events '
        is("CreateAllocation") && /"texture"/ {
            rest = $0
            while (match(rest, /"allocation":[0-9]+/)) {
                name = substr(rest, RSTART + 13, RLENGTH - 13)
                rest = substr(rest, RSTART + RLENGTH)
                if (loaded < 128) slot[name] = loaded++
                else slot[name] = streamed++ % 128
                size[name] = 8
            }
        }
        is("MakeResident") || is("Evict") {
            count = list("allocations", names)
            for (i = 1; i <= count; i++) resident += (is("Evict") ? -1 : 1) * size[names[i]]
            print t / 1000, resident > "resident"
        }
        is("Submit") && number("context") == 1 {
            count = list("allocations", names)
            for (i = 1; i <= count; i++) print t / 1000, slot[names[i]] > "drawn"
        }'
    draw frames 480 <<'GNUPLOT'
set multiplot
set lmargin at screen 0.09; set rmargin at screen 0.97
set xrange [0:10]
set tmargin at screen 0.92; set bmargin at screen 0.44
set title 'Textures that each frame reads: the viewpoint wanders, and at times the camera turns'
set ylabel 'texture'
set yrange [-1:128]
set format x ''
plot 'drawn' with points pointtype 5 pointsize 0.16 linecolor rgb colour[1]
set tmargin at screen 0.33; set bmargin at screen 0.12
set title 'Textures that are to be resident'
set ylabel 'MiB'
set yrange [0:1050]
set ytics 250
set format x '%g'
set xlabel 'time, s'
plot 'resident' with steps linewidth 2 linecolor rgb colour[2]
unset multiplot
GNUPLOT
}

compositor() {
    generate compositor --windows 12 --busy 2 --updates 4 --frames 60
    replay
    events 'is("Submit") { print NR, number("pid") }' >"$scratch/owners"
    awk 'NR == FNR { pid[$1] = $2; next } { y = (pid[$3] - 1000) / 4; if ($1 > 300 && $1 < 700) print $1, $2, y > (y == 0 ? "desktop" : "windows") }' \
        "$scratch/owners" "$scratch/engines"
    draw compositor 440 <<'GNUPLOT'
set lmargin at screen 0.13; set rmargin at screen 0.97; set bmargin at screen 0.14
set xrange [300:700]
set yrange [12.7:-0.7]
set title 'Windows being drawn, two of them for every refresh, and the compositor that shows them'
set xlabel 'time, ms'
set ytics ('compositor' 0, 'window 1' 1, 'window 3' 3, 'window 5' 5, 'window 7' 7, 'window 9' 9, 'window 11' 11)
plot 'windows' using 1:3:1:2:($3 - bar):($3 + bar) with boxxyerror linecolor rgb colour[1], \
     'desktop' using 1:3:1:2:($3 - bar):($3 + bar) with boxxyerror linecolor rgb colour[2]
GNUPLOT
}

contexts() {
    generate contexts --contexts 2 --packets 40 --gpu-time 2ms --gpu-times lognormal --urgent-contexts 1 --urgent-packets 14 \
        --urgent-interval 9ms --urgent-gpu-time 700us --seed 3
    replay
    events 'is("Submit") { print NR, number("context"), t }' >"$scratch/owners"
    awk 'NR == FNR { context[$1] = $2; at[$1] = $3; next }
        { print $1, $2, context[$3] - 1 > (context[$3] == 3 ? "urgent" : "normal"); if (context[$3] == 3) print at[$3], 2 > "asked" }' \
        "$scratch/owners" "$scratch/engines"
    draw contexts 300 <<'GNUPLOT'
set lmargin at screen 0.13; set rmargin at screen 0.97; set bmargin at screen 0.23
set xrange [60:120]
set yrange [2.6:-0.6]
set title 'Two contexts in closed loops, and an urgent one whose packets come at random'
set xlabel 'time, ms'
set ytics ('context 1' 0, 'context 2' 1, 'urgent' 2)
set key at screen 0.97,0.1 right center horizontal
plot 'normal' using 1:3:1:2:($3 - bar):($3 + bar) with boxxyerror linecolor rgb colour[1], \
     'urgent' using 1:3:1:2:($3 - bar):($3 + bar) with boxxyerror linecolor rgb colour[2] title 'on the engine', \
     'asked' with points pointtype 9 pointsize 0.9 linecolor rgb '#333333' title 'submitted'
GNUPLOT
}

training() {
    generate training --layers 12 --steps 4
    replay
    events 'is("Submit") && number("context") == 1 { print NR, n++ }' >"$scratch/order"
    awk 'NR == FNR { order[$1] = $2; next }
        $3 in order {
            n = order[$3]
            step = int(n / 36)
            n -= 36 * step
            layer = n < 12 ? n : n < 24 ? 23 - n : n - 24
            if (step == 1 || step == 2) print $1, $2, layer + 1 > (n < 12 ? "forward" : n < 24 ? "backward" : "update")
        }' "$scratch/order" "$scratch/engines"
    draw training 420 <<'GNUPLOT'
set lmargin at screen 0.08; set rmargin at screen 0.97; set bmargin at screen 0.16
set yrange [0.3:12.7]
set title 'Two steps: which layer the engine works on'
set xlabel 'time, ms'
set ylabel 'layer'
set ytics 1,1,12
set key at screen 0.97,0.06 right center horizontal
plot 'forward' using 1:3:1:2:($3 - bar):($3 + bar) with boxxyerror linecolor rgb colour[1] title 'forward', \
     'backward' using 1:3:1:2:($3 - bar):($3 + bar) with boxxyerror linecolor rgb colour[2] title 'backward', \
     'update' using 1:3:1:2:($3 - bar):($3 + bar) with boxxyerror linecolor rgb colour[3] title 'update'
GNUPLOT
}

llm() {
    generate llm --requests 120 --rate 4 --cache 1GiB --seed 2
    events '
        is("CreateAllocation") && !/"allocation":1,/ { match($0, /"allocation":[0-9]+/); size[substr($0, RSTART + 13, RLENGTH - 13)] = 32 }
        is("MakeResident") || is("Evict") {
            count = list("allocations", names)
            for (i = 1; i <= count; i++) resident += (is("Evict") ? -1 : 1) * size[names[i]]
            print t / 1000, resident / 1024 > "cache"
        }
        is("Submit") { count = list("writes", names); print t / 1000, count > "batch" }
        is("Evict") { evicted = list("allocations", names); first = names[1]; at = t / 1000; next }
        evicted && !is("DestroyAllocation") { print at, 1.05 > "spilled" }
        { evicted = 0 }'
    draw llm 480 <<'GNUPLOT'
set multiplot
set lmargin at screen 0.08; set rmargin at screen 0.97
set xrange [0:35]
set tmargin at screen 0.9; set bmargin at screen 0.5
set title 'Keys and values in the cache, whose budget is 1 GiB'
set ylabel 'GiB'
set yrange [0:1.15]
set format x ''
set key at graph 1,1.15 right top horizontal
plot 1 with lines linewidth 1.5 dashtype 2 linecolor rgb '#777777', \
     'cache' with steps linewidth 2 linecolor rgb colour[1], \
     'spilled' with points pointtype 11 pointsize 0.9 linecolor rgb colour[2] title 'a request spills'
set tmargin at screen 0.39; set bmargin at screen 0.12
set title 'Requests in the batch'
set ylabel 'requests'
set yrange [0:17]
set format x '%g'
set xlabel 'time, s'
set key off
plot 'batch' with steps linewidth 1.5 linecolor rgb colour[3]
unset multiplot
GNUPLOT
}

video() {
    generate video --streams 1 --frames 60 --rate 118 --decode-time 5ms --process-time 3ms --encode-time 8ms
    replay
    events 'is("Submit") { print NR, number("context") - 1 }' >"$scratch/owners"
    awk 'NR == FNR { stage[$1] = $2; next } { y = stage[$3]; print $1, $2, y, n[y]++ % 6 > "stages" }' "$scratch/owners" "$scratch/engines"
    draw video 300 <<'GNUPLOT'
set lmargin at screen 0.1; set rmargin at screen 0.97; set bmargin at screen 0.2
set xrange [240:360]
set yrange [2.6:-0.6]
set title 'Frames on their way through three engines; each keeps its colour'
set xlabel 'time, ms'
set ytics ('decode' 0, 'process' 1, 'encode' 2)
plot for [i = 0:5] 'stages' using 1:($4 == i ? $3 : NaN):1:2:($3 - bar):($3 + bar) with boxxyerror linecolor rgb colour[i + 1]
GNUPLOT
}

swap() {
    for quantum in 0 400ms; do
        generate swap --work 2s --kernel-time 10ms --quantum $quantum
        replay
        events 'is("Submit") { print NR, number("context") - 1 }' >"$scratch/owners"
        awk -v name=lock-$quantum 'NR == FNR { job[$1] = $2; next } { print $1 / 1000, $2 / 1000, job[$3] > name }' "$scratch/owners" "$scratch/engines"
    done
    draw swap 400 <<'GNUPLOT'
set multiplot
set lmargin at screen 0.09; set rmargin at screen 0.97
set style fill solid 1 border
stats 'lock-0' using 2 name 'without' nooutput
stats 'lock-400ms' using 2 name 'with' nooutput
set xrange [0:(without_max > with_max ? without_max : with_max) * 1.02]
set yrange [1.6:-0.6]
set ytics ('job 1' 0, 'job 2' 1)
set tmargin at screen 0.9; set bmargin at screen 0.6
set title sprintf('Two jobs of 6 GiB each on 8 GiB, kernel by kernel, without a lock: done after %.0f s', without_max)
set format x ''
plot for [i = 0:1] 'lock-0' using 1:($3 == i ? $3 : NaN):1:2:($3 - bar):($3 + bar) with boxxyerror linecolor rgb colour[i + 1]
set tmargin at screen 0.46; set bmargin at screen 0.16
set title sprintf('With a lock, held for 400 ms of work at a time: done after %.1f s', with_max)
set format x '%g'
set xlabel 'time, s'
plot for [i = 0:1] 'lock-400ms' using 1:($3 == i ? $3 : NaN):1:2:($3 - bar):($3 + bar) with boxxyerror linecolor rgb colour[i + 1]
unset multiplot
GNUPLOT
}

scan() {
    for pattern in cyclic zigzag; do
        generate scan --blocks 32 --passes 4 --pattern $pattern
        events 'is("Submit") { list("allocations", names); print ++n, names[1] }' >"$scratch/$pattern"
    done
    draw scan 300 <<'GNUPLOT'
set multiplot
set bmargin at screen 0.2; set tmargin at screen 0.86
set xrange [0:129]; set yrange [0:33]
set xtics 32
set xlabel 'submission'
set lmargin at screen 0.08; set rmargin at screen 0.49
set title 'cyclic'
set ylabel 'block'
plot 'cyclic' with points pointtype 7 pointsize 0.35 linecolor rgb colour[1]
set lmargin at screen 0.57; set rmargin at screen 0.98
set title 'zigzag'
set ylabel ''
plot 'zigzag' with points pointtype 7 pointsize 0.35 linecolor rgb colour[2]
unset multiplot
GNUPLOT
}

zipf() {
    for exponent in 0 0.8 1.2; do
        generate zipf --references 100000 --exponent $exponent
        events 'is("Submit") { list("allocations", names); times[names[1]]++ } END { for (name in times) print times[name] }' |
            sort -rn >"$scratch/exponent-$exponent"
    done
    draw zipf 360 <<'GNUPLOT'
set lmargin at screen 0.09; set rmargin at screen 0.97; set bmargin at screen 0.17
set logscale xy
set xrange [1:1000]; set yrange [1:40000]
set title 'How often each of 1000 blocks is referred to, in 100,000 references; thin: the law'
set xlabel 'rank of the block'
set ylabel 'references'
set key right top
h(a) = sum [k = 1:1000] k ** (-a)
h0 = h(0.); h8 = h(0.8); h12 = h(1.2)
plot 'exponent-1.2' using ($0 + 1):1 with points pointtype 7 pointsize 0.4 linecolor rgb colour[2] title 'exponent 1.2', \
     'exponent-0.8' using ($0 + 1):1 with points pointtype 7 pointsize 0.4 linecolor rgb colour[1] title '0.8', \
     'exponent-0' using ($0 + 1):1 with points pointtype 7 pointsize 0.4 linecolor rgb colour[3] title '0', \
     1e5 / h12 * x ** -1.2 linecolor rgb '#333333', 1e5 / h8 * x ** -0.8 linecolor rgb '#333333', 1e5 / h0 linecolor rgb '#333333'
GNUPLOT
}

churn() {
    generate churn --allocations 400 --rate 200 --lifetime 200ms --seed 4
    events '
        is("CreateAllocation") {
            name = number("allocation")
            born[name] = t
            size[name] = number("size") / 1048576
            live++
        }
        is("DestroyAllocation") { list("allocations", names); print born[names[1]], t, size[names[1]] > "lives"; live-- }
        is("CreateAllocation") || is("DestroyAllocation") { print t, live > "live" }'
    draw churn 480 <<'GNUPLOT'
set multiplot
set lmargin at screen 0.09; set rmargin at screen 0.97
set xrange [0:2000]
set tmargin at screen 0.92; set bmargin at screen 0.46
set title 'Allocations, each from its creation to its destruction'
set ylabel 'size, MiB'
set logscale y
set yrange [0.02:40]
set ytics ('0.1' 0.1, '1' 1, '10' 10)
set format x ''
plot 'lives' using 1:3:($2 - $1):(0) with vectors nohead linewidth 1.3 linecolor rgb colour[1]
unset logscale y
set tmargin at screen 0.35; set bmargin at screen 0.12
set title 'How many are alive; dashed: rate × lifetime'
set ylabel 'allocations'
set yrange [0:60]
set ytics 20
set format x '%g'
set xlabel 'time, ms'
plot 'live' with steps linewidth 2 linecolor rgb colour[2], 40 with lines dashtype 2 linecolor rgb '#777777'
unset multiplot
GNUPLOT
}

cd "$scratch"
for name in ${*:-budget churn compositor contexts frames llm scan swap training video zipf}; do
    rm -rf ./*
    $name
done
