#!/bin/sh
# Second init of the guest: mounts what the tests need, runs them, tells how they ended, switches off.
# The host demands the last marker line: without it the run has failed, whatever else was printed.
export PATH=/usr/bin:/bin:/sbin HOME=/root TERM=dumb NO_COLOR=1
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmp /tmp
# A disk of its own for io: nothing else writes to it. noatime, so that reading writes nothing.
mount -t ext4 -o noatime /dev/vdb /data
hostname episcope-vm
printf '\nepiscope-vm: booted\n'

only=$(sed -n 's/.*episcope\.only=\([^ ]*\).*/\1/p' /proc/cmdline)
cd /episcope || exit
node test/vm/guest/main.mjs "$only"
echo "episcope-vm: exit $?"
poweroff -f
