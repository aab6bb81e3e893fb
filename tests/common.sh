# What the scripts share, for them to read in first: they work in a folder that goes when they end, and count what fails.
set -u

export LC_ALL=C
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 99
failures=0
subcommand= # of wddmsim, that expect runs; none: its first argument is one

fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# expect STATUS ARGUMENT...: runs wddmsim, keeps what it says in out and err.
expect() {
    wanted=$1
    shift
    "$WDDMSIM" $subcommand "$@" >out 2>err </dev/null
    got=$?
    [ "$got" -eq "$wanted" ] || {
        fail "wddmsim $subcommand $*: exit status $got, not $wanted"
        cat err
    }
}

says() {
    grep -qF -- "$1" err || fail "standard error lacks \"$1\": $(cat err)"
}

prints() {
    grep -qF -- "$1" out || fail "standard output lacks \"$1\": $(cat out)"
}

# The last command of a script: how it ends.
conclude() {
    [ "$failures" -eq 0 ] || echo "$failures failures"
    [ "$failures" -eq 0 ]
}

# A file without what AddressSanitizer says of SimGrid's stacks, which it does not know.
without_sanitizer() {
    grep -vE 'ASan is ignoring|^False positive error|sanitizers/issues/189' "$1"
}
