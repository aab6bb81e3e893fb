# Above: bytes per second that came into segments and left them. Below: how busy the link was.
height = link_used ? 480 : 290
eval sprintf(canvas, height)
set output svg
set multiplot
set xrange [0:span]
set lmargin at screen 0.085
set rmargin at screen 0.86
set tmargin at screen 1 - 44. / height
set bmargin at screen (link_used ? 250. : 62.) / height
unit = byte_unit(most)
set title 'Paging, ' . byte_name(unit) . ' per second'
set yrange [0:*]
set format x (link_used ? '' : '%g')
set xlabel (link_used ? '' : 'simulated time, ' . time_unit) offset 0,0.2
set key at screen 0.872, screen 1 - 44. / height left top vertical reverse Left
plot for [i = 1:flows] data using 1:(shown[i] ? column(i + 1) / unit : NaN) with lines linewidth 2 linecolor rgb colour[i] title shown[i] ? flow[i] : ''
if (link_used) {
    set tmargin at screen 205. / height
    set bmargin at screen 62. / height
    set title 'Link busy'
    set yrange [0:103]
    set format y '%.0f %%'
    set format x '%g'
    set xlabel 'simulated time, ' . time_unit offset 0,0.2
    set key at screen 0.872, screen 205. / height left top vertical reverse Left
    plot data using 1:flows + 2 with lines linewidth 2 linecolor rgb colour[1] title 'in', \
         data using 1:flows + 3 with lines linewidth 2 linecolor rgb colour[2] title 'out'
}
unset multiplot
