# What all figures share: canvas, colours that colour-blind readers can tell apart (Okabe and Ito),
# and axes with units.
set encoding utf8
if (!exists("canvas")) canvas = "set terminal svg size 960,%d dynamic rounded noenhanced font 'sans-serif,14' background '#ffffff'"
set datafile separator whitespace
set border 3 linecolor '#666666'
set tics nomirror out scale 0.6 textcolor '#333333'
set grid linecolor '#dddddd' linetype 1 linewidth 0.8
set key noautotitle samplen 1.6 spacing 1.15 width 1
set title offset 0,-0.5

array colour[8] = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#7A5C00', '#777777']
# Of the causes, in the order of the data.
array hue[12] = ['#9a9a9a', '#882255', '#CC6677', '#4a5bbf', '#88CCEE', '#44AA99', '#DDCC77', '#AA4499', '#8a4b20', '#117733', '#999933', '#332288']

# A legend below the figure: the places come with the data.
legend_y(i) = (14. + 22 * (legend_rows - 1 - legend_row[i])) / height

# Logarithmic axes of nanoseconds, which have no place for 0: it is drawn at 1.
ns_tics = "('≤1 ns' 1, '10 ns' 10, '100 ns' 100, '1 µs' 1e3, '10 µs' 1e4, '100 µs' 1e5, '1 ms' 1e6, '10 ms' 1e7, '100 ms' 1e8, '1 s' 1e9, '10 s' 1e10, '100 s' 1e11, '1000 s' 1e12)"
ns_tics_wide = "('≤1 ns' 1, '' 10, '' 100, '1 µs' 1e3, '' 1e4, '' 1e5, '1 ms' 1e6, '' 1e7, '' 1e8, '1 s' 1e9, '' 1e10, '' 1e11, '1000 s' 1e12)"
decades(a, b) = log10(b) - log10(a)
human_ns(x) = x < 999.5 ? sprintf('%.3g ns', x) : x < 999.5e3 ? sprintf('%.3g µs', x / 1e3) : x < 999.5e6 ? sprintf('%.3g ms', x / 1e6) : sprintf('%.3g s', x / 1e9)
byte_unit(x) = x < 4096. ? 1. : x < 4194304. ? 1024. : x < 4294967296. ? 1048576. : 1073741824.
size_unit(x) = x < 1024. ? 1. : x < 1048576. ? 1024. : x < 1073741824. ? 1048576. : 1073741824.
human_bytes(x) = sprintf('%.4g ', x / size_unit(x)) . byte_name(size_unit(x))
byte_name(u) = u == 1 ? 'bytes' : u == 1024 ? 'KiB' : u == 1048576 ? 'MiB' : 'GiB'
