# Every point by two metrics; the front is what no other point beats in both.
height = 520
eval sprintf(canvas, height)
set output svg
set lmargin at screen 0.095
set rmargin at screen 0.955
set tmargin at screen 1 - 44. / height
set bmargin at screen 64. / height
set title 'No point beats those on the line in both'
set xlabel xname offset 0,0.2
set ylabel yname offset 0.3,0
set format x '%.4g'
set format y '%.4g'
set offsets graph 0.04, graph 0.16, graph 0.06, graph 0.04
set key off
do for [i = 1:names] { set label i value(sprintf('name_%d', i)) at value(sprintf('name_x_%d', i)), value(sprintf('name_y_%d', i)) left offset 0.8,(i % 2 == 0 ? -0.6 : 0.6) font ',12' textcolor '#333333' front }
if (base_x == base_x && base_y == base_y) { set label 99 'baseline' at base_x, base_y left offset 0.9,-1.1 font ',12' textcolor '#b3001b' point pointtype 4 pointsize 1.7 linewidth 2 linecolor '#b3001b' front }
plot data index 0 using 1:2 with points pointtype 7 pointsize 0.4 linecolor '#9aa3ab', \
     data index 1 using 1:2 with steps linewidth 2 linecolor '#0072B2', \
     data index 1 using 1:2 with points pointtype 7 pointsize 0.7 linecolor '#0072B2'
