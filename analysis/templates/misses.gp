# Share of the references that would miss in a segment of each size, under LRU; and what is referred
# to within a time.
height = windows > 1 ? 650 : 330
eval sprintf(canvas, height)
set output svg
set multiplot
set lmargin at screen 0.085
set rmargin at screen 0.955
set key off

set title 'References that would miss, by the size of the segment'
set tmargin at screen 1 - 44. / height
set bmargin at screen 1 - 268. / height
set xrange [smallest:largest]
set yrange [0:104]
set format y '%.0f %%'
set xlabel 'size of the segment' offset 0,0.2
set logscale x 2
octaves = ceil(log(largest / smallest) / log(2) / 11)
set xtics ()
do for [i = ceil(log(smallest) / log(2)):floor(log(largest) / log(2)):octaves] {
    bytes = 2. ** i
    set xtics add (human_bytes(bytes) bytes)
}
do for [s = 1:segments] {
    set arrow s from size[s], graph 0 to size[s], graph 1 nohead linecolor '#333333' linewidth 1.4 dashtype (6, 3) front
    set label s segment[s] at size[s], graph 1 right offset -0.5,-0.8 - 1.1 * (s - 1) textcolor '#333333' front
}
plot data index 0 using 1:2 with steps linewidth 2.2 linecolor rgb colour[1]

if (windows > 1) {
    unset arrow
    unset label
    unset logscale x
    set xtics nomirror out scale 0.6 textcolor '#333333'
    set title 'What submissions name within a time, on average over the run'
    set tmargin at screen 1 - 364. / height
    set bmargin at screen 62. / height
    unit = byte_unit(most)
    set xrange [*:*]
    set yrange [0:most * 1.08 / unit]
    set format y '%g'
    set label byte_name(unit) at screen 0.012, screen (62. + height - 364) / 2 / height rotate center
    set xlabel 'length of the time' offset 0,0.2
    set logscale x
    eval 'set xtics ' . ns_tics
    plot data index 1 using 1:($2 / unit) with lines linewidth 2.2 linecolor rgb colour[1]
}
unset multiplot
