# For scripts to read in. AddressSanitizer does not know SimGrid's stacks, and says so in three lines.

# The file without them.
without_sanitizer() {
    grep -vE 'ASan is ignoring|^False positive error|sanitizers/issues/189' "$1"
}
