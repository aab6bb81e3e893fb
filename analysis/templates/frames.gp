# One panel per process: the longest and the mean frame that ended in each part of the run.
height = 70 + 170 * subjects
eval sprintf(canvas, height)
set output svg
set multiplot
set xrange [0:span]
# What is rare and very long would flatten all the rest: it is cut, at the edge.
ceiling = most > 8 * usual ? 8 * usual : most * 1.08
set yrange [0:ceiling]
set datafile missing 'NaN' # no frame ended there: the lines go on
set lmargin at screen 0.085
set rmargin at screen 0.86
do for [p = 1:subjects] {
    top = 1 - (44. + 170 * (p - 1)) / height
    bottom = top - 116. / height
    set tmargin at screen top
    set bmargin at screen bottom
    set title 'Frame time of ' . subject[p] . ', ms' . (most > ceiling ? ' (cut above)' : '')
    set format x (p == subjects ? '%g' : '')
    set xlabel (p == subjects ? 'simulated time, ' . time_unit : '') offset 0,0.2
    set key at screen 0.872, screen top left top vertical reverse Left
    plot data index p - 1 using 1:($3 > ceiling ? ceiling : $3) with impulses linewidth 1 linecolor rgb colour[6] title 'longest', \
         data index p - 1 using 1:2 with lines linewidth 1.6 linecolor rgb colour[2] title 'mean', \
         for [k = 1:(late > 0)] data index p - 1 using 1:($5 > 0 ? ceiling * 0.93 : -1) with points pointtype 9 pointsize 0.5 linecolor rgb colour[7] title 'late', \
         for [k = 1:(dropped > 0)] data index p - 1 using 1:($4 > 0 ? ceiling * 0.98 : -1) with points pointtype 2 pointsize 0.5 linecolor rgb '#b3001b' title 'dropped'
}
unset multiplot
