#!/bin/sh
# Makes a lab's root file system one that a virtual machine boots: a kernel, cloud-init and the stack's packages.
# Runs in a mount and process namespace of its own: its mounts end with it.
# usage: image-setup.sh ROOT PROXY-URL
set -eu
root=$1 proxy=$2

mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"

# No package starts its service here.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"

apt() {
  DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 chroot "$root" apt-get -q -y \
    -o "Acquire::http::Proxy=$proxy" -o "Acquire::https::Proxy=$proxy" -o Dpkg::Options::=--force-unsafe-io "$@"
}
apt update
# linux-image-cloud-amd64 is made for virtual machines; qemu-guest-agent is the way in that needs no network.
apt install --no-install-recommends linux-image-cloud-amd64 initramfs-tools zstd cloud-init qemu-guest-agent
# What meshctl installs, so that emulated processors do not have to. Nothing is configured.
apt install --no-install-recommends haproxy zookeeper mariadb-server nftables \
  ruby ruby-dev gcc make libc6-dev patch ca-certificates
apt clean

rm "$root/usr/sbin/policy-rc.d"
# The only source there is: cloud-init asks no network for others.
echo 'datasource_list: [NoCloud]' >"$root/etc/cloud/cloud.cfg.d/90_lab.cfg"
# Each machine has these of its own: they come from its first boot.
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/hostname" "$root/var/lib/dbus/machine-id"
: >"$root/etc/machine-id"
rm -rf "$root"/var/lib/apt/lists/*
umount -R "$root/dev" "$root/sys" "$root/proc"
