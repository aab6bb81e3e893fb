#!/bin/sh
# traces/FORMATS.md against the vocabulary: every op has its section with every field, every flag is
# named, every example is accepted, and the examples of the ops replay as one trace.
. "$SOURCE/tests/common.sh"
page=$SOURCE/traces/FORMATS.md
table=$SOURCE/traces/vocabulary.c

# vocabulary.c as lines: "array FIELD...", "ops OP ARRAY", "flag NAME".
tr '\n' ' ' <"$table" | sed 's/  */ /g; s/static const struct/\
&/g; s/const struct trace_op_spec/\
&/g; s/\[TRACE_[A-Z_]*\] = /\
op /g; s/const struct trace_flag/\
&/g' >"$scratch/lines"
awk '
    / trace_field_spec [a-z_]*\[\] = / {
        line = $0
        sub(/.* trace_field_spec /, "", line)
        name = line
        sub(/\[.*/, "", name)
        sub(/};.*/, "", line)
        while (match(line, /(NEED|MAY|ELEMENT|ROW)\( ?"[a-z0-9-]*"|FLAGS\(/)) {
            field = substr(line, RSTART, RLENGTH)
            line = substr(line, RSTART + RLENGTH)
            if (field ~ /^FLAGS/)
                field = "flags"
            else {
                sub(/[^"]*"/, "", field)
                sub(/".*/, "", field)
            }
            print "field", name, field
        }
    }
    /^op / {
        split($0, quoted, "\"")
        rest = quoted[5]
        gsub(/[^a-z_A-Z]/, " ", rest)
        split(rest, word, " ")
        if (quoted[2] != "")
            print "op", quoted[2], word[1]
    }
    / trace_flag / {
        line = $0
        while (match(line, /\{"[A-Za-z]*", /)) {
            print "flag", substr(line, RSTART + 2, RLENGTH - 5)
            line = substr(line, RSTART + RLENGTH)
        }
    }' "$scratch/lines" >"$scratch/vocabulary"
ops=$(grep -c '^op ' "$scratch/vocabulary")
[ "$ops" -ge 23 ] || fail "only $ops ops found in vocabulary.c"
[ "$(grep -c '^field ' "$scratch/vocabulary")" -ge 80 ] || fail "too few fields found"
[ "$(grep -c '^flag ' "$scratch/vocabulary")" -ge 60 ] || fail "too few flags found"

# section TITLE: the part of the page under the heading that starts with it.
section() {
    awk -v title="$1" '
        /^#/ { inside = index($0, title) == 1 }
        inside' "$page"
}

has_fields() {
    sed -n "s/^field $1 //p" "$scratch/vocabulary" >"$scratch/fields"
    while read -r field; do
        grep -qF "| \`$field\` |" "$scratch/section" || fail "$2 does not list the field $field"
    done <"$scratch/fields"
    # shellcheck disable=SC2016 # Markdown's back quotes
    sed -n 's/^| `\([a-z-]*\)` |.*/\1/p' "$scratch/section" | while read -r field; do
        grep -qx -- "$field" "$scratch/fields" || echo "$2: $field"
    done >>"$scratch/invented"
}

grep '^op ' "$scratch/vocabulary" >"$scratch/ops"
while read -r _ op fields; do
    section "#### \`$op\`" >"$scratch/section"
    [ -s "$scratch/section" ] || fail "no section for $op"
    grep -q "\"op\":\"$op\"" "$scratch/section" || fail "$op has no example"
    [ "$fields" = NULL ] || has_fields "$fields" "$op"
done <"$scratch/ops"
section "#### Elements of allocations" >"$scratch/section"
has_fields allocation "Elements of allocations"
section "### Events" | sed '1,/outcome/d' >"$scratch/section"
has_fields outcome "Events"
while read -r invented; do
    fail "not in the vocabulary: $invented"
done <"$scratch/invented"
sed -n 's/^flag //p' "$scratch/vocabulary" | sort -u >"$scratch/flags"
while read -r flag; do
    grep -q "\`$flag\`" "$page" || fail "the flag $flag is not named"
done <"$scratch/flags"

# Examples, each behind a header of its own.
sed -n 's/^    \({"wddmsim":.*\)/\1/p' "$page" >"$scratch/header"
[ "$(wc -l <"$scratch/header")" -eq 1 ] || fail "not one example of a header"
sed -n 's/^    \({"t":.*\)/\1/p' "$page" >"$scratch/examples"
[ "$(wc -l <"$scratch/examples")" -ge "$ops" ] || fail "too few examples"
while read -r line; do
    { cat "$scratch/header" && echo "$line"; } >"$scratch/one.jsonl"
    "$WDDMSIM" inspect "$scratch/one.jsonl" >"$scratch/out" 2>&1 </dev/null ||
        fail "$line: $(cat "$scratch/out")"
done <"$scratch/examples"

# The examples of the ops are one trace, without a call that fails.
sed '/^## Windows/,$d' "$page" | sed -n 's/^    \({"t":.*\)/\1/p' |
    sort -s -t : -k 2,2n >"$scratch/story"
cat "$scratch/header" "$scratch/story" >"$scratch/story.jsonl"
"$WDDMSIM" replay "$scratch/story.jsonl" --check --no-report -q -o "$scratch/result" \
    >"$scratch/out" 2>&1 </dev/null || fail "the examples do not replay: $(cat "$scratch/out")"
grep '"STATUS_' "$scratch/result/summary.json" | grep -v STATUS_PENDING &&
    fail "an example's call fails"
convert() {
    "$WDDMSIM" convert -q "$scratch/$1" -o "$scratch/$2" || fail "convert $1 to $2"
}
convert story.jsonl text.jsonl
convert story.jsonl story.wtrace
convert story.wtrace back.jsonl
cmp "$scratch/back.jsonl" "$scratch/text.jsonl" || fail "the binary encoding changes the examples"

[ "$failures" -eq 0 ]
