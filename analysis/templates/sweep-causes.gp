# What the mean latency of a call consists of, along a key: a bar for each of its values, a panel
# for each value of a second key.
columns = titles > 1 ? 2 : 1
rows = (titles + columns - 1) / columns
height = 96 + 22 * legend_rows + 280 * rows + (rows - 1) * 16
eval sprintf(canvas, height)
set output svg
array hue[16] = ['#9a9a9a', '#882255', '#CC6677', '#4a5bbf', '#88CCEE', '#44AA99', '#DDCC77', '#AA4499', '#8a4b20', '#117733', '#999933', '#332288', '#661100', '#6699CC', '#AA4466', '#4477AA']
set label 900 above at screen 0.5, screen 1 - 18. / height center textcolor '#111111'
do for [c = 1:causes] { if (used[c]) { set label 200 + c cause[c] at screen legend_x[c] / 960., screen legend_y(c) left offset 1.2,-0.22 point pointtype 5 pointsize 1 linecolor rgb hue[c] } }
set multiplot layout rows,columns margins 0.075,0.965,(70. + 22 * legend_rows) / height,1 - 62. / height spacing 0.085,86. / height
set key off
set style fill solid 1 noborder
set xrange [0.4:xticks + 0.6]
set yrange [0:high * 1.06]
set format y '%.4g'
set xtics () scale 0
longest = 1
do for [i = 1:xticks] { longest = strlen(xtick[i]) > longest ? strlen(xtick[i]) : longest }
every_nth = ceil((8.2 * longest + 10) * xticks / (columns > 1 ? 400. : 850.))
do for [i = 1:xticks:every_nth] { set xtics add (xtick[i] i) }
set grid noxtics
do for [p = 1:titles] {
    set title title[p]
    set xlabel (p > titles - columns ? strstrt(xname, ',') > 0 && !xnamed ? xname[1:strstrt(xname, ',') - 1] : xname : '') offset 0,0.2
    plot for [c = 1:causes] data index (c - 1) * titles + p - 1 using 1:(($2 + $3) / 2):($1 - 0.4):($1 + 0.4):2:3 with boxxyerror linecolor rgb hue[c]
    unset label
}
unset multiplot
