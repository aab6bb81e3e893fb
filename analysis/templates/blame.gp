# One bar per op: what its mean latency consists of; the mean itself at the right end.
height = 106 + 22 * legend_rows + 34 * ops
eval sprintf(canvas, height)
set output svg
array hue[11] = ['#9a9a9a', '#882255', '#CC6677', '#4a5bbf', '#88CCEE', '#44AA99', '#DDCC77', '#AA4499', '#8a4b20', '#117733', '#999933']
longest = 0
do for [i = 1:ops] { longest = strlen(op[i]) > longest ? strlen(op[i]) : longest }
set lmargin at screen (14. + 8.2 * longest) / 960
set rmargin at screen 0.9
set bmargin at screen (52. + 22 * legend_rows) / height
set tmargin at screen 1 - 44. / height
set title 'What the mean latency of each call (at the right) consists of'
set xrange [0:1]
set yrange [ops + 0.6:0.4]
set xtics ('0 %%' 0, '25 %%' 0.25, '50 %%' 0.5, '75 %%' 0.75, '100 %%' 1)
set ytics scale 0
set ytics ('' 0)
do for [i = 1:ops] { set label 100 + i op[i] at screen (4. + 8.2 * longest) / 960, first i right textcolor '#333333' }
do for [i = 1:ops] { set label i human_ns(mean[i]) at 1.012, i left textcolor '#333333' }
set grid noytics xtics
set border 1
set style fill solid 1 noborder
do for [i = 1:causes] { if (used[i]) { set label 200 + i cause[i] at screen legend_x[i] / 960., screen legend_y(i) left offset 1.2,-0.22 point pointtype 5 pointsize 1 linecolor rgb hue[i] } }
set key off
plot for [c = 1:causes] data using ($2 == c - 1 ? ($3 + $4) / 2 : NaN):1:3:4:($1 - 0.34):($1 + 0.34) with boxxyerror linecolor rgb hue[c]
