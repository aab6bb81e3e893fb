# One panel per op: the latency distribution of every result on top of each other.
height = 110 + 330 * ((ops + 1) / 2) + 22 * legend_rows
eval sprintf(canvas, height)
set output svg
columns = ops > 1 ? 2 : 1
rows = (ops + 1) / 2
set multiplot layout rows,columns margins 0.075,0.965,(48. + 22 * legend_rows) / height,1 - 44. / height spacing 0.08,92. / height
set logscale x
set yrange [0:100]
set format y '%.0f %%'
set key off
do for [r = 1:results] { set label 200 + r result[r] at screen legend_x[r] / 960., screen legend_y(r) left offset 1.2,-0.22 point pointtype 5 pointsize 1 linecolor rgb colour[(r - 1) % 8 + 1] }
do for [o = 1:ops] {
    low = 10 ** floor(log10(least[o]))
    high = 10 ** ceil(log10(most[o] * 1.001))
    set xrange [low:high]
    if (decades(low, high) > 5) { eval 'set xtics ' . ns_tics_wide } else { eval 'set xtics ' . ns_tics }
    set title op[o] . ': calls that took this long or less'
    plot for [r = 1:results] data index (o - 1) * results + r - 1 using 1:($2 * 100) with steps linewidth 2 dashtype r > 8 ? 2 : 1 linecolor rgb colour[(r - 1) % 8 + 1]
    unset label
}
unset multiplot
