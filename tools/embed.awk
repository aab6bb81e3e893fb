# Turns text files into a C source that holds them:
#
#     awk -f embed.awk -v header=HEADER -v type=TYPE -v table=TABLE [-v headings=1] FILE...
#
# writes `const struct TYPE TABLE[]`, one element per file: its name without folders and its text;
# and `const size_t TABLE_count`. With headings, the name is without its extension too, and between
# it and the text stands the first line without its "# ".

function quoted(text) {
    gsub(/[\\"]/, "\\\\&", text)
    gsub(/\t/, "\\t", text)
    gsub(/\?/, "\\?", text) # no trigraphs
    return "\"" text "\""
}

function finish() {
    if (open)
        print "     },"
}

BEGIN {
    print "/* Made by embed.awk; do not edit. */"
    print "#include \"" header "\"\n"
    print "const struct " type " " table "[] = {"
}

FNR == 1 {
    finish()
    name = FILENAME
    sub(/.*\//, "", name)
    if (headings)
        sub(/\.[^.]*$/, "", name)
    print "    {" quoted(name) ","
    if (headings) {
        heading = $0
        sub(/^# */, "", heading)
        print "     " quoted(heading) ","
    }
    open = 1
    count++
}

{
    line = quoted($0)
    print "     " substr(line, 1, length(line) - 1) "\\n\""
}

END {
    finish()
    print "};\n"
    print "const size_t " table "_count = " count ";"
}
