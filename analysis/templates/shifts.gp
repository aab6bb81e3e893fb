# One panel per op: by how much each of its quantiles moves. Both ends of the quantiles are drawn
# wide; the shifts are linear up to a knee and logarithmic beyond, with either sign.
height = 130 + 330 * ((ops + 1) / 2) + 22 * legend_rows
eval sprintf(canvas, height)
set output svg
columns = ops > 1 ? 2 : 1
rows = (ops + 1) / 2
set multiplot layout rows,columns margins 0.085,0.965,(82. + 22 * legend_rows) / height,1 - 44. / height spacing 0.11,92. / height
set xrange [-2:3]
set xtics ('1 %%' -2, '10 %%' -0.954243, '50 %%' 0, '90 %%' 0.954243, '99 %%' 1.995635, '99.9 %%' 2.999566)
set key off
set arrow 1 from graph 0, first 0 to graph 1, first 0 nohead linecolor '#666666' linewidth 1.4
do for [r = 2:results] { set label 200 + r result[r] at screen legend_x[r] / 960., screen legend_y(r) left offset 1.2,-0.22 point pointtype 5 pointsize 1 linecolor rgb colour[(r - 1) % 8 + 1] }
bend = 1.
squash(x) = sgn(x) * log10(1 + abs(x) / bend)
do for [o = 1:ops] {
    bend = knee[o]
    tics = "('0' 0"
    near = squash(most[o]) - squash(least[o]) > 3 ? 1 : 0 # the knee's own ticks would touch the zero's
    do for [k = near:4] {
        at = bend * 10 ** k
        if (at <= most[o] * 1.3) { tics = tics . sprintf(", '+%s' %g", human_ns(at), squash(at)) }
        if (at <= -least[o] * 1.3) { tics = tics . sprintf(", '-%s' %g", human_ns(at), squash(-at)) }
    }
    eval 'set ytics ' . tics . ')'
    set yrange [squash(least[o]) * 1.08 - 0.2:squash(most[o]) * 1.08 + 0.2]
    set title op[o] . ': change of each quantile' . (least[o] == 0 && most[o] == 0 ? ' (none)' : '')
    set xlabel (o + columns > ops ? 'share of the calls that took this long or less' : '') offset 0,0.2
    plot for [r = 2:results] data index (o - 1) * (results - 1) + r - 2 using 1:(squash($2)) with lines linewidth 2 dashtype r > 8 ? 2 : 1 linecolor rgb colour[(r - 1) % 8 + 1]
    do for [r = 2:results] { unset label 200 + r }
}
unset multiplot
