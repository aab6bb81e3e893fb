# What a search for a threshold looked at: the metric along the key, the bound, and where it is met.
below = lines > 1 ? 22 * legend_rows : 0
height = 460 + below
eval sprintf(canvas, height)
set output svg
do for [l = 1:lines] { if (lines > 1) { set label 200 + l line[l] at screen legend_x[l] / 960., screen legend_y(l) left offset 1.2,-0.22 point pointtype 5 pointsize 1 linecolor rgb colour[l] } }
set lmargin at screen 0.085
set rmargin at screen 0.955
set tmargin at screen 1 - 44. / height
set bmargin at screen (64. + below) / height
set title title
set xlabel xname offset 0,0.2
set format x '%.5g'
set format y '%.4g'
set offsets 0, 0, graph 0.08, graph 0.08
set key off
set arrow 1 from graph 0, first bound to graph 1, first bound nohead linecolor '#b3001b' linewidth 1.6 dashtype (6, 3) front
set label 1 bound_text at graph 0.995, first bound right offset 0,0.6 font ',12' textcolor '#b3001b' front
do for [l = 1:lines] { if (found[l] == found[l]) { set arrow 1 + l from first found[l], graph 0 to first found[l], graph 1 nohead linecolor rgb colour[l] linewidth 1.4 dashtype (2, 3) front; set label 1 + l sprintf('%.5g', found[l]) at first found[l], graph 0.97 - 0.045 * (l - 1) left offset 0.6,0 font ',12' textcolor rgb colour[l] front } }
plot for [l = 1:lines] data index l - 1 using 1:2 with linespoints pointtype 7 pointsize 0.5 linewidth 2 linecolor rgb colour[l]
