# Metrics along one key, a line for each value of another: a panel per metric, or per combination
# of the keys beyond two. Names along the axis get bars, numbers curves; bands are confidence.
columns = panels > 1 ? 2 : 1
rows = (panels + columns - 1) / columns
lined = lines > 1
below = lined ? 22 * legend_rows : 0
head = above eq '' ? 0 : 26
height = 84 + head + below + (rows > 1 ? 270 : 330) * rows + (rows - 1) * 16
eval sprintf(canvas, height)
set output svg
if (above ne '') { set label 900 above at screen 0.5, screen 1 - 18. / height center textcolor '#111111' }
do for [l = 1:lines] { if (lined) { set label 200 + l line[l] at screen legend_x[l] / 960., screen legend_y(l) left offset 1.2,-0.22 point pointtype 5 pointsize 1 linecolor rgb colour[l] } }
set multiplot layout rows,columns margins 0.075,0.965,(66. + below) / height,1 - (44. + head) / height spacing 0.085,86. / height
set key off
if (xlog) { set logscale x }
array xs[xticks]
if (xnamed) { set xrange [0.4:xticks + 0.6] } else { if (xlast > xfirst) { set xrange [xfirst:xlast] } }
set style fill solid 1 noborder
width = 0.76 / lines
do for [p = 1:panels] {
    set title title[p]
    span = yhigh[p] - ylow[p]
    unset logscale y
    if (ylog[p]) { set logscale y; set yrange [ylow[p] / 1.3:yhigh[p] * 1.3] } else {
        bottom = ylow[p] >= 0 && (xnamed || ylow[p] < 0.6 * yhigh[p]) ? 0 : ylow[p] - 0.12 * span
        top = span > 0 ? yhigh[p] + 0.12 * span : yhigh[p] + (yhigh[p] == 0 ? 1 : 0.1 * abs(yhigh[p]))
        if (span == 0 && bottom != 0) { bottom = ylow[p] - 0.1 * abs(ylow[p]) }
        set yrange [bottom:top]
    }
    set format y '%.4g'
    set xlabel (p > panels - columns ? xname : '') offset 0,0.2
    if (xnamed) {
        set xtics () scale 0
        do for [i = 1:xticks] { set xtics add (xtick[i] i) }
        set grid noxtics
    }
    unset arrow
    do for [k = 1:99] { unset label k }
    if (!xnamed && base_x == base_x) { set arrow 1 from first base_x, graph 0 to first base_x, graph 1 nohead linecolor '#333333' linewidth 1.2 dashtype (6, 3) back; set label 99 'baseline' at first base_x, graph 0.965 right offset -0.6,0 font ',12' textcolor '#555555' }
    do for [k = 1:knees] {
        if (value(sprintf('knee_panel_%d', k)) == p) {
            set label k sprintf('knee') at value(sprintf('knee_x_%d', k)), value(sprintf('knee_y_%d', k)) left offset 0.9,0.7 font ',12' textcolor '#333333' point pointtype 6 pointsize 1.5 linewidth 1.6 linecolor '#333333'
        }
    }
    if (p == 2) { unset label 900; do for [l = 1:lines] { unset label 200 + l } }
    if (xnamed) {
        if (bands) { plot for [l = 1:lines] data index (p - 1) * lines + l - 1 using ($1 + (l - (lines + 1) / 2.) * width):2:(width * 0.94) with boxes linecolor rgb colour[l], for [l = 1:lines] data index (p - 1) * lines + l - 1 using ($1 + (l - (lines + 1) / 2.) * width):2:3:4 with yerrorbars pointtype 0 linewidth 1.4 linecolor '#222222' } else { plot for [l = 1:lines] data index (p - 1) * lines + l - 1 using ($1 + (l - (lines + 1) / 2.) * width):2:(width * 0.94) with boxes linecolor rgb colour[l] }
    } else {
        if (bands) { plot for [l = 1:lines] data index (p - 1) * lines + l - 1 using 1:3:4 with filledcurves fillcolor rgb colour[l] fillstyle transparent solid 0.18, for [l = 1:lines] data index (p - 1) * lines + l - 1 using 1:2 with linespoints pointtype 7 pointsize 0.45 linewidth 2 linecolor rgb colour[l] } else { plot for [l = 1:lines] data index (p - 1) * lines + l - 1 using 1:2 with linespoints pointtype 7 pointsize 0.45 linewidth 2 linecolor rgb colour[l] }
    }
}
unset multiplot
