# One bar per op: what its mean latency consists of; below one per process: all its time in calls.
gap = bars > ops ? 1.6 : 0
height = 106 + 22 * legend_rows + 30 * (bars + gap)
eval sprintf(canvas, height)
set output svg
longest = 0
do for [i = 1:bars] { longest = strlen(bar[i]) > longest ? strlen(bar[i]) : longest }
set lmargin at screen (14. + 8.2 * longest) / 960
set rmargin at screen 0.9
set bmargin at screen (52. + 22 * legend_rows) / height
set tmargin at screen 1 - 44. / height
set title 'What the mean latency of each call (at the right) consists of'
place(i) = i + (i > ops ? gap : 0)
set xrange [0:1]
set yrange [place(bars) + 0.6:0.4]
set xtics ('0 %%' 0, '25 %%' 0.25, '50 %%' 0.5, '75 %%' 0.75, '100 %%' 1)
set ytics scale 0
set ytics ('' 0)
do for [i = 1:bars] { set label 100 + i bar[i] at screen (4. + 8.2 * longest) / 960, first place(i) right textcolor '#333333' }
do for [i = 1:bars] { set label 300 + i amount[i] at 1.012, place(i) left textcolor '#333333' }
if (bars > ops) { set label 99 'All the time that each process spent in its calls' at 0.5, place(ops + 1) - 1 center }
set grid noytics xtics
set border 1
set style fill solid 1 noborder
do for [i = 1:causes] { if (used[i]) { set label 200 + i cause[i] at screen legend_x[i] / 960., screen legend_y(i) left offset 1.2,-0.22 point pointtype 5 pointsize 1 linecolor rgb hue[i] } }
set key off
plot for [c = 1:causes] data using ($2 == c - 1 ? ($3 + $4) / 2 : NaN):(place($1)):3:4:(place($1) - 0.36):(place($1) + 0.36) with boxxyerror linecolor rgb hue[c]
