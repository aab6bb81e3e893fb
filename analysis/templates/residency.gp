# One panel per segment: resident bytes of each process on top of each other, the segment's size,
# and what of it processes may require (dashed).
height = 50 + 250 * segments
eval sprintf(canvas, height)
set output svg
set multiplot
set style fill solid 1 noborder
set xrange [0:span]
panel = 250.
do for [s = 1:segments] {
    top = 1 - ((s - 1) * panel + 38.) / height
    bottom = 1 - (s * panel - 14.) / height
    set tmargin at screen top
    set bmargin at screen bottom
    set lmargin at screen 0.085
    set rmargin at screen 0.86
    near = peak[s] > 0.4 * size[s]
    ceiling = near ? (peak[s] > size[s] ? peak[s] : size[s]) * 1.04 : peak[s] * 1.15
    unit = byte_unit(ceiling)
    set yrange [0:ceiling / unit]
    set label 1 byte_name(unit) at screen 0.012, screen (top + bottom) / 2 rotate center
    about = sprintf('size %s', human_bytes(size[s])) . (budget[s] > 0 ? sprintf(', dashed: budget of all, %s', human_bytes(budget[s])) : '')
    set title sprintf('%s: resident bytes by process (%s)', segment[s], about)
    set format x (s == segments ? '%g' : '')
    set xlabel (s == segments ? 'simulated time, ' . time_unit : '') offset 0,0.3
    set key at screen 0.872, screen top left top vertical reverse Left spacing 0.95 font ',12' title 'process' left
    unset arrow
    if (near) { set arrow from graph 0, first size[s] / unit to graph 1, first size[s] / unit nohead linecolor '#333333' linewidth 1 front }
    if (budget[s] > 0 && budget[s] < ceiling) { set arrow from graph 0, first budget[s] / unit to graph 1, first budget[s] / unit nohead linecolor '#333333' linewidth 1.4 dashtype (6, 4) front }
    plot for [p = shares[s]:1:-1] data index s - 1 using 1:(column(p + 1) / unit) with filledcurves y1=0 linecolor rgb colour[int(word(hues[s], p))] title word(names[s], p)
}
unset multiplot
