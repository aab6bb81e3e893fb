# The runs of a search for the least (or greatest): each, and the best so far.
below = lines > 1 ? 22 * legend_rows : 0
height = 420 + below
eval sprintf(canvas, height)
set output svg
do for [l = 1:lines] { if (lines > 1) { set label 200 + l line[l] at screen legend_x[l] / 960., screen legend_y(l) left offset 1.2,-0.22 point pointtype 5 pointsize 1 linecolor rgb colour[l] } }
set lmargin at screen 0.085
set rmargin at screen 0.955
set tmargin at screen 1 - 44. / height
set bmargin at screen (64. + below) / height
set title title . (maximum ? ': each run, and the greatest so far' : ': each run, and the least so far')
set xlabel 'run' offset 0,0.2
set format y '%.4g'
set offsets graph 0.02, graph 0.02, graph 0.06, graph 0.06
set key off
plot for [l = 1:lines] data index l - 1 using 1:2 with points pointtype 7 pointsize 0.5 linecolor rgb colour[l], \
     for [l = 1:lines] data index l - 1 using 1:3 with steps linewidth 2 linecolor rgb colour[l]
