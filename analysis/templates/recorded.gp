# Left: each call, as recorded and as simulated. Right: the same quantiles of both distributions.
height = 514 + 22 * legend_rows
eval sprintf(canvas, height)
set output svg
set multiplot layout 1,2 margins 0.11,0.955,(78. + 22 * legend_rows) / height,1 - 44. / height spacing 0.1
low = 10 ** floor(log10(least))
high = 10 ** ceil(log10(most * 1.001))
set logscale xy
set xrange [low:high]
set yrange [low:high]
if (decades(low, high) > 5) { eval 'set xtics ' . ns_tics_wide; eval 'set ytics ' . ns_tics_wide } else { eval 'set xtics ' . ns_tics; eval 'set ytics ' . ns_tics }
set xlabel 'recorded' offset 0,0.2
set ylabel 'simulated' offset 1.2,0
set title 'Call by call (on the line: equal)'
do for [i = 1:ops] { set label 200 + i op[i] at screen legend_x[i] / 960., screen legend_y(i) left offset 1.2,-0.22 point pointtype 5 pointsize 1 linecolor rgb colour[i] }
set key off
plot for [i = 1:ops] data index 2 * i - 2 using 1:2 with points pointtype 7 pointsize 0.28 linecolor rgb colour[i], \
     x with lines linewidth 1.2 linecolor rgb '#222222'
unset label
unset ylabel
set title 'Quantiles, 1 % to 99 %'
plot for [i = 1:ops] data index 2 * i - 1 using 1:2 with points pointtype 7 pointsize 0.4 linecolor rgb colour[i], \
     x with lines linewidth 1.2 linecolor rgb '#222222'
unset multiplot
