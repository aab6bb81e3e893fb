#!/bin/sh
# The pages in a real browser (Chromium, headless): light and dark, a laptop's width and a phone's;
# the console must stay silent, every figure must have a size, and nothing may be wider than the
# screen. Skipped where there is no Chromium. KEEP=DIR keeps pictures to look at.
set -eu

browser=
for name in chromium chromium-browser google-chrome chrome; do
    ! command -v $name >/dev/null || browser=$name
done
[ -n "$browser" ] || {
    echo "skipped: no Chromium (Debian: chromium)"
    exit 77
}
command -v gnuplot >/dev/null || {
    echo "skipped: no gnuplot"
    exit 77
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
bad=0
complain() {
    echo "$*"
    bad=1
}

# browse NAME ARGUMENTS: runs the browser on file NAME; its output to `out`, its messages to `err`.
browse() {
    page=$1
    shift
    timeout 120 $browser --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
        --no-first-run --user-data-dir="$scratch/user" --enable-logging=stderr \
        --virtual-time-budget=3000 "$@" "file://$scratch/$page" >out 2>err </dev/null || {
        tail -n 5 err
        complain "$page: the browser failed"
    }
}

# A page cannot tell its own width apart from the window's least one: it stands in a frame as wide as
# the screen of interest. What it measures becomes its parent's text.
measure=$(cat <<'END'
<script>
addEventListener('load', () => {
  const width = document.documentElement.clientWidth, wide = [];
  for (const e of document.querySelectorAll('body *')) {
    const r = e.getBoundingClientRect();
    let held = false;
    for (let p = e.parentElement; p; p = p.parentElement)
      held = held || ['auto', 'scroll', 'hidden'].includes(getComputedStyle(p).overflowX);
    if (r.width > 0 && r.right > width + 1 && !held) wide.push(e.tagName + '.' + e.className);
  }
  const figures = [...document.querySelectorAll('figure svg')];
  parent.postMessage(JSON.stringify({
    width, scroll: document.documentElement.scrollWidth, wide: wide.slice(0, 5),
    figures: figures.length,
    empty: figures.filter(f => f.getBoundingClientRect().width < 100 || f.querySelectorAll('path').length < 3).length,
    broken: [...document.images].filter(i => !i.complete || i.naturalWidth == 0).length,
    paper: getComputedStyle(document.body).backgroundColor,
    ink: getComputedStyle(document.body).color}), '*');
});
</script>
END
)

# check FOLDER WIDTH [dark]
check() {
    folder=$1 width=$2 dark=${3-}
    what="$folder at $width px${dark:+, $dark}"
    sed -e '/Content-Security-Policy/,/>/d' "$folder/report.html" >framed.html
    echo "$measure" >>framed.html
    cat >frame.html <<END
<!DOCTYPE html><meta charset="utf-8"><body style="margin:0"><pre id="says">nothing</pre>
<iframe src="framed.html" style="border:0;width:${width}px;height:800px"></iframe>
<script>addEventListener('message', m => document.getElementById('says').textContent = m.data);</script>
END
    set -- --allow-file-access-from-files --hide-scrollbars --dump-dom --window-size=1400,900
    [ -z "$dark" ] || set -- "$@" --blink-settings=preferredColorScheme=0
    browse frame.html "$@"
    grep 'CONSOLE' err && complain "$what: messages on the console"
    says=$(sed -n 's/.*<pre id="says">\(.*\)<\/pre>.*/\1/p' out)
    echo "$what: $says"
    case $says in
    *'"width":'$width',"scroll":'$width',"wide":[]'*'"empty":0,"broken":0'*) ;;
    *) complain "$what: something is too wide, empty or missing" ;;
    esac
    case $says in
    *'"figures":0'*) complain "$what: no figures" ;;
    esac
    case $dark-$says in
    -*'"paper":"rgb(255, 255, 255)"'* | dark-*'"paper":"rgb(22, 24, 26)"'*) ;;
    *) complain "$what: not the colours it should have" ;;
    esac
}

"$WDDMSIM" generate frames --frames 150 --processes 2 -o frames.wtrace
"$WDDMSIM" replay frames.wtrace -q -s segments.local.size=1GiB -o one
mkdir two
for seed in 1 2; do
    "$WDDMSIM" replay frames.wtrace -q -s segments.local.size=1GiB -s nodes.3d.speed=2 --seed $seed -o two/$seed
done
"$WDDMSIM" report one two -o several >/dev/null

for folder in one several; do
    browse "$folder/report.html" --dump-dom # as it is, its own rules about content obeyed
    grep 'CONSOLE' err && complain "$folder: messages on the console"
    check $folder 1280
    check $folder 1280 dark
    check $folder 390
    [ -z "${KEEP-}" ] || for width in 1100 500; do
        mkdir -p "$KEEP"
        browse "$folder/report.html" --window-size=$width,9000 --hide-scrollbars \
            --screenshot="$KEEP/$folder-$width.png"
    done
done
exit $bad
