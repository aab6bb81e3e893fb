# Left: how far each key moves the metric when only it leaves the baseline. Right: the share of the
# metric's variance that a key explains, alone and with others.
height = 128 + 46 * keys
eval sprintf(canvas, height)
set output svg
both = swings && explained
longest = 0
longest_low = 0
longest_high = 0
do for [k = 1:keys] { longest = strlen(key[k]) > longest ? strlen(key[k]) : longest }
if (swings) {
    do for [k = 1:keys] {
        longest_low = strlen(low_at[k]) > longest_low ? strlen(low_at[k]) : longest_low
        longest_high = strlen(high_at[k]) > longest_high ? strlen(high_at[k]) : longest_high
    }
}
left = (26. + 8.2 * longest) / 960
left = left > 0.36 ? 0.36 : left
set multiplot
set key off
set style fill solid 1 noborder
set yrange [keys + 0.6:0.4]
set tmargin at screen 1 - 44. / height
set bmargin at screen 64. / height
set ytics scale 0
set ytics ('' 0)
do for [k = 1:keys] { set label 100 + k key[k] at screen left - 0.012, first k right textcolor '#333333' }
set border 1
set grid noytics xtics
set format x '%.4g'
set lmargin at screen left
if (swings) {
    set rmargin at screen (both ? left + (0.965 - left) * 0.54 : 0.965)
    set title 'One key at a time: ' . title offset 0,-0.5
    span = high > low ? high - low : 1
    room(longest) = (14 + 6.8 * longest) / (960 * (0.965 - left) * (both ? 0.54 : 1)) # for the values beside the bars
    share_low = room(longest_low) < 0.3 ? room(longest_low) : 0.3
    share_high = room(longest_high) < 0.3 ? room(longest_high) : 0.3
    span = span / (1 - share_low - share_high)
    set xrange [low - share_low * span:high + share_high * span]
    if (baseline == baseline) { set arrow 1 from first baseline, graph 0 to first baseline, graph 1 nohead linecolor '#333333' linewidth 1.4 dashtype (6, 3) front; set label 99 'baseline' at first baseline, screen 18. / height center font ',12' textcolor '#555555' }
    plot data using (($2 + $3) / 2):1:2:3:($1 - 0.3):($1 + 0.3) with boxxyerror linecolor '#56B4E9', \
         data using 2:1:(low_at[int($1)]) with labels right offset -0.5,0 font ',12' textcolor '#333333', \
         data using 3:1:(high_at[int($1)]) with labels left offset 0.5,0 font ',12' textcolor '#333333'
    unset arrow 1
    unset label
    set lmargin at screen (both ? left + (0.965 - left) * 0.60 : left)
}
if (explained) {
    set rmargin at screen 0.965
    set title 'Share of the variance explained' offset 0,-0.5
    set xrange [0:1.05]
    set xtics ('0 %%' 0, '25 %%' 0.25, '50 %%' 0.5, '75 %%' 0.75, '100 %%' 1)
    set label 201 'alone' at graph 0.02, screen 20. / height left offset 1.2,-0.22 point pointtype 5 pointsize 1 linecolor '#0072B2'
    if (totals) { set label 202 'with its interactions' at graph 0.25, screen 20. / height left offset 1.2,-0.22 point pointtype 5 pointsize 1 linecolor '#E69F00' }
    share(x) = x != x ? NaN : x < 0 ? 0 : x > 1 ? 1 : x # estimates stray
    plot data using (share($5) / 2):1:(0):(share($5)):($1 + 0.02):($1 + 0.3) with boxxyerror linecolor '#E69F00', \
         data using (share($4) / 2):1:(0):(share($4)):($1 - (totals ? 0.3 : 0.2)):($1 - (totals ? 0.02 : -0.2)) with boxxyerror linecolor '#0072B2'
}
unset multiplot
