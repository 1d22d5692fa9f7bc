#!/bin/sh
# Second init of the guest with systemd: makes the distribution on the third disk the root, with the disk of the minimal
# guest at /project and what the tests need from it where they look for it, and starts systemd as pid 1.
root=/debian
mount -t ext4 -o noatime /dev/vdc $root || exit
cd $root || exit

mkdir -p data episcope workloads project home/tester
mount -t ext4 -o noatime /dev/vdb data
mount --bind /episcope episcope
mount --bind /workloads workloads
touch usr/bin/node
mount --bind /usr/bin/node usr/bin/node
# The distribution's own libraries are as they should be; those that only our programs want are taken from the host.
find /lib /lib64 /usr/lib -name '*.so*' 2>/dev/null | while read -r library; do
  # A link, too: an absolute one leads nowhere from here.
  if [ -e "$root$library" ] || [ -L "$root$library" ]; then continue; fi
  mkdir -p "$root$(dirname "$library")"
  ln -s "/project$library" "$root$library"
done

# Somebody without rights, whose own manager runs although nobody has logged in.
echo 'tester:x:1000:1000::/home/tester:/bin/sh' >>etc/passwd
echo 'tester:x:1000:' >>etc/group
echo 'tester:*:19000:0:99999:7:::' >>etc/shadow
chown 1000:1000 home/tester
mkdir -p var/lib/systemd/linger
touch var/lib/systemd/linger/tester

echo episcope-vm >etc/hostname
# Without a udev no device ever comes up: nothing may wait for one. The rest would take time, or write to the console.
for unit in systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket \
  systemd-udev-trigger.service systemd-udev-settle.service systemd-networkd.service systemd-networkd.socket \
  systemd-network-generator.service systemd-resolved.service systemd-timesyncd.service \
  systemd-modules-load.service systemd-journal-flush.service systemd-hwdb-update.service \
  systemd-pstore.service systemd-random-seed.service systemd-sysusers.service \
  systemd-update-utmp.service systemd-update-utmp-runlevel.service proc-sys-fs-binfmt_misc.automount \
  dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount \
  sys-fs-fuse-connections.mount modprobe@configfs.service modprobe@dm_mod.service modprobe@drm.service \
  modprobe@efi_pstore.service modprobe@fuse.service modprobe@loop.service \
  getty.target serial-getty@ttyS0.service console-getty.service emergency.service rescue.service \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
  fstrim.timer motd-news.timer systemd-tmpfiles-clean.timer; do
  ln -sf /dev/null "etc/systemd/system/$unit"
done
mkdir -p etc/systemd/system/multi-user.target.wants
for folder in etc/systemd/system etc/systemd/system/multi-user.target.wants; do
  ln -s /episcope/test/vm/systemd/episcope-tests.service "$folder/episcope-tests.service"
done

umount /proc
mount --move /dev dev
pivot_root . project
exec /sbin/init </dev/console >/dev/console 2>&1
