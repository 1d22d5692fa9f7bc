#!/bin/sh
# Runs the tests of a folder of test/vm in a guest that is up, and tells how they ended: `episcope-tests FOLDER`.
# The host demands the last marker line: without it the run has failed, whatever else was printed.
printf '\nepiscope-vm: booted\n'
cd /episcope || exit
node test/vm/guest/main.mjs "test/vm/$1"
echo "episcope-vm: exit $?"
