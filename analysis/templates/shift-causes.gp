# One bar per quantile of an op: which causes take less time than in the first result, to the left,
# and which take more, to the right.
height = 106 + 22 * legend_rows + 30 * bars
eval sprintf(canvas, height)
set output svg
longest = 0
do for [i = 1:bars] { longest = strlen(bar[i]) > longest ? strlen(bar[i]) : longest }
set lmargin at screen (14. + 8.2 * longest) / 960
set rmargin at screen 0.84
set bmargin at screen (52. + 22 * legend_rows) / height
set tmargin at screen 1 - 44. / height
set title 'Less (left) and more time by cause, as shares of all that changed; at the right the sum'
set xrange [-1:1]
set yrange [bars + 0.6:0.4]
set xtics ('-100 %%' -1, '-50 %%' -0.5, '0' 0, '+50 %%' 0.5, '+100 %%' 1)
set ytics scale 0
set ytics ('' 0)
do for [i = 1:bars] { set label 100 + i bar[i] at screen (4. + 8.2 * longest) / 960, first i right textcolor '#333333' }
do for [i = 1:bars] { set label 300 + i amount[i] at 1.03, i left textcolor '#333333' }
set grid noytics xtics
set border 1
set style fill solid 1 noborder
set arrow 1 from first 0, graph 0 to first 0, graph 1 nohead front linecolor '#666666' linewidth 1.4
do for [i = 1:causes] { if (used[i]) { set label 200 + i cause[i] at screen legend_x[i] / 960., screen legend_y(i) left offset 1.2,-0.22 point pointtype 5 pointsize 1 linecolor rgb hue[i] } }
set key off
plot for [c = 1:causes] data using ($2 == c - 1 ? ($3 + $4) / 2 : NaN):1:3:4:($1 - 0.36):($1 + 0.36) with boxxyerror linecolor rgb hue[c]
