#!/bin/sh
# Prints -static if the C library can be linked statically. The time that the helper takes before it enters the cgroup
# does not count for the episode, but it is part of the command's rusage. A static program starts in half the time.
trap 'rm -f "$probe"' EXIT
probe=$(mktemp) || exit 0
echo 'int main(void) { return 0; }' | "${CC:-cc}" -static -x c - -o "$probe" 2>/dev/null && echo -static
exit 0
