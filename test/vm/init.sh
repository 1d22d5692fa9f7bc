#!/bin/sh
# Second init of the guest: mounts what the tests need, runs them, switches off. For the tests below systemd it
# hands over to the init that brings that up.
export PATH=/usr/bin:/bin:/sbin HOME=/root TERM=dumb NO_COLOR=1
mount -t proc proc /proc
folder=$(sed -n 's/.*episcope\.tests=\([^ ]*\).*/\1/p' /proc/cmdline)
[ "$folder" != systemd ] || exec init-systemd
mount -t sysfs sys /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmp /tmp
# A disk of its own for io: nothing else writes to it. noatime, so that reading writes nothing.
mount -t ext4 -o noatime /dev/vdb /data
hostname episcope-vm
episcope-tests "$folder"
poweroff -f
