# Above: how busy the engines (and the link) were. Below: packets queued for each engine.
height = 480
eval sprintf(canvas, height)
set output svg
set multiplot
set xrange [0:span]
set lmargin at screen 0.085
set rmargin at screen 0.86
set tmargin at screen 1 - 44. / height
set bmargin at screen 0.56
set title 'Time busy'
set yrange [0:103]
set format y '%.0f %%'
set format x ''
set key at screen 0.872, screen 1 - 44. / height left top vertical reverse Left
plot for [i = 1:lines] data index i - 1 using 1:2 with lines linewidth (i > engines ? 1.4 : 2) dashtype i > engines ? 2 : 1 linecolor rgb colour[i] title line[i]
set tmargin at screen 0.44
set bmargin at screen 62. / height
set title 'Packets queued, the running one included'
set yrange [0:*]
set format y '%.6g'
set format x '%g'
set xlabel 'simulated time, ' . time_unit offset 0,0.2
set key off
if (engines > 0) { plot for [i = 1:engines] data index i - 1 using 1:3 with lines linewidth 2 linecolor rgb colour[i] }
unset multiplot
