#!/bin/sh
# First init of the guest: finds the disk and hands over to /sbin/init on it.
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
# In this order: each one needs those before it.
for module in virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk; do
  [ ! -f "/modules/$module.ko" ] || /bin/busybox insmod "/modules/$module.ko" || echo "vm: no module $module"
done
/bin/busybox mount -t ext4 -o noatime /dev/vda /new || echo 'vm: no root disk'
/bin/busybox umount /proc
/bin/busybox mount --move /dev /new/dev
exec /bin/busybox switch_root /new /sbin/init
