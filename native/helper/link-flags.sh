#!/bin/sh
# Prints -static where the C library can be linked so. What the helper costs before it has entered the cgroup is not
# the episode's, but the command's own rusage has it: a static program starts in half the time.
trap 'rm -f "$probe"' EXIT
probe=$(mktemp) || exit 0
echo 'int main(void) { return 0; }' | "${CC:-cc}" -static -x c - -o "$probe" 2>/dev/null && echo -static
exit 0
