# A metric on the plane of two keys: darker is worse, contours where both keys are numbers.
height = 150 + 34 * yticks
height = height < 330 ? 330 : height > 620 ? 620 : height
eval sprintf(canvas, height)
longest = 4
do for [i = 1:yticks] { longest = ynamed && strlen(ytick[i]) > longest ? strlen(ytick[i]) : longest }
set lmargin at screen (44. + 8.2 * longest) / 960
set rmargin at screen 0.87
set tmargin at screen 1 - 44. / height
set bmargin at screen 64. / height
if (plane) {
    set contour base
    unset surface
    set cntrparam levels auto 7
    set table $contours
    splot data using 1:2:3 with lines
    unset table
    unset contour
    set surface
}
set output svg
framed = base_x == base_x && base_y == base_y
set title title . (framed ? ' (red frame: baseline)' : '')
set xlabel xname offset 0,0.2
set ylabel yname offset 1.2,0
if (xlog) { set logscale x }
if (ylog) { set logscale y }
set xrange [xlow:xhigh]
set yrange [ylow:yhigh]
unset grid
set tics scale 0
if (xnamed) { set xtics (); do for [i = 1:xticks] { set xtics add (xtick[i] i) } }
if (ynamed) { set ytics (); do for [i = 1:yticks] { set ytics add (ytick[i] i) } }
set cbrange [zlow:(zhigh > zlow ? zhigh : zlow + 1)]
if (more) { set palette defined (0 '#08306b', 0.35 '#2b7bba', 0.7 '#9dc7e2', 1 '#f0f6fb') } else { set palette defined (0 '#f0f6fb', 0.3 '#9dc7e2', 0.65 '#2b7bba', 1 '#08306b') }
set colorbox user origin 0.89, 64. / height size 0.016, 1 - 108. / height
set format cb '%.4g'
set key off
dark(z) = more ? z < zlow + 0.5 * (zhigh - zlow) : z > zlow + 0.5 * (zhigh - zlow)
ink(z) = dark(z) ? 0xffffff : 0x222222
set style fill solid 1 noborder
if (framed) {
    set object 1 rectangle center base_x, base_y size character 5.4, character 1.5 front fillstyle empty border linecolor '#b3001b' linewidth 2.2
}
if (plane && written) { plot data using 1:2:4:5:6:7:3 with boxxyerror linecolor palette, $contours using 1:2 with lines linewidth 1.6 linecolor '#d55e00', data using 1:2:(sprintf('%.3g', $3)):(ink($3)) with labels font ',11' textcolor rgb variable } 
if (plane && !written) { plot data using 1:2:4:5:6:7:3 with boxxyerror linecolor palette, $contours using 1:2 with lines linewidth 1.6 linecolor '#d55e00' }
if (!plane && written) { plot data using 1:2:4:5:6:7:3 with boxxyerror linecolor palette, data using 1:2:(sprintf('%.3g', $3)):(ink($3)) with labels font ',11' textcolor rgb variable }
if (!plane && !written) { plot data using 1:2:4:5:6:7:3 with boxxyerror linecolor palette }
