# Left: share of calls that took so long or less. Right: the slow tail, share that took longer.
height = 444 + 22 * legend_rows
eval sprintf(canvas, height)
set output svg
set multiplot layout 1,2 margins 0.075,0.965,(78. + 22 * legend_rows) / height,1 - 44. / height spacing 0.09
set logscale x
low = 10 ** floor(log10(least))
high = 10 ** ceil(log10(most * 1.001))
set xrange [low:high]
if (decades(low, high) > 5) { eval 'set xtics ' . ns_tics_wide } else { eval 'set xtics ' . ns_tics }
set xlabel 'latency of the call' offset 0,0.2

set yrange [0:100]
set format y '%.0f %%'
any_known = 0
do for [i = 1:ops] { any_known = any_known || known[i] }
do for [i = 1:ops] { set label 200 + i op[i] at screen legend_x[i] / 960., screen legend_y(i) left offset 1.2,-0.22 point pointtype 5 pointsize 1 linecolor rgb colour[i] }
set key off
set title 'Calls that took this long or less' . (any_known ? ' (dashed: recorded)' : '')
plot for [i = 1:ops] data index 2 * i - 1 using 1:(known[i] ? $2 * 100 : NaN) with steps linewidth 1.4 dashtype (4, 3) linecolor rgb colour[i], \
     for [i = 1:ops] data index 2 * i - 2 using 1:($2 * 100) with steps linewidth 2.2 linecolor rgb colour[i]

unset label
set title 'Calls that took longer (the slow tail)'
set logscale y
longer(share) = share < 1 ? (1 - share) * 100 : 1e-3 # the slowest call: down to the edge
set yrange [0.005:100]
set format y ''
set ytics ('100 %%' 100, '10 %%' 10, '1 %%' 1, '0.1 %%' 0.1, '0.01 %%' 0.01)
plot for [i = 1:ops] data index 2 * i - 1 using 1:(known[i] ? longer($2) : NaN) with steps linewidth 1.4 dashtype (4, 3) linecolor rgb colour[i], \
     for [i = 1:ops] data index 2 * i - 2 using 1:(longer($2)) with steps linewidth 2.2 linecolor rgb colour[i]
unset multiplot
