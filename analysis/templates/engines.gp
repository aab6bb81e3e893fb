# Above: how busy the engines were. In the middle: packets queued for each. Below: context switches.
height = 640
eval sprintf(canvas, height)
set output svg
set multiplot
set xrange [0:span]
set lmargin at screen 0.085
set rmargin at screen 0.86
set tmargin at screen 1 - 44. / height
set bmargin at screen 1 - 214. / height
set title 'Time busy'
set yrange [0:103]
set format y '%.0f %%'
set format x ''
set key at screen 0.872, screen 1 - 44. / height left top vertical reverse Left
plot for [i = 1:lines] data index i - 1 using 1:2 with lines linewidth 2 linecolor rgb colour[i] title line[i]
set tmargin at screen 1 - 258. / height
set bmargin at screen 1 - 408. / height
set title 'Packets queued, the running one included'
set yrange [0:*]
set format y '%.6g'
set key off
plot for [i = 1:lines] data index i - 1 using 1:3 with lines linewidth 2 linecolor rgb colour[i]
set tmargin at screen 1 - 452. / height
set bmargin at screen 62. / height
set title 'Context switches per second'
set format x '%g'
set xlabel 'simulated time, ' . time_unit offset 0,0.2
set key at screen 0.872, screen 1 - 452. / height left top vertical reverse Left
plot data index lines using 1:2 with lines linewidth 2 linecolor rgb colour[2] title 'made', \
     data index lines using 1:3 with lines linewidth 2 dashtype 2 linecolor rgb colour[3] title 'avoided'
unset multiplot
