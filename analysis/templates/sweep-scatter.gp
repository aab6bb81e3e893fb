# A sample over each key, the strongest first: every run, and means of classes of them.
columns = keys > 1 ? (keys > 4 ? 3 : 2) : 1
rows = (keys + columns - 1) / columns
height = 92 + 262 * rows
eval sprintf(canvas, height)
set output svg
set label 900 above at screen 0.5, screen 1 - 18. / height center textcolor '#111111'
set multiplot layout rows,columns margins 0.065,0.975,64. / height,1 - 40. / height spacing 0.07,76. / height
set key off
set format y '%.4g'
do for [p = 1:keys] {
    set xlabel key[p] offset 0,0.2
    unset logscale x
    set xrange [*:*]
    set xtics auto
    set xtics nomirror out scale 0.6
    if (xlog[p]) { set logscale x }
    if (named[p]) {
        set xrange [0.4:value(sprintf('ticks_%d', p)) + 0.6]
        set xtics () scale 0
        do for [i = 1:value(sprintf('ticks_%d', p))] { set xtics add (value(sprintf('tick_%d_%d', p, i)) i) }
    }
    plot data index 2 * p - 2 using 1:2 with points pointtype 7 pointsize 0.35 linecolor '#56B4E9', \
         data index 2 * p - 1 using 1:2 with linespoints pointtype 7 pointsize 0.5 linewidth 2 linecolor '#D55E00'
    unset label 900
}
unset multiplot
