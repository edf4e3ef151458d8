#!/bin/sh
# Turns a fresh minimal Debian root into what a lab host boots from.
# usage: base-setup.sh ROOT SUITE
set -eu
root=$1
suite=$2

# The way to the build's own proxy; hosts get theirs from whoever provisions them.
rm -f "$root/etc/apt/apt.conf.d/99mmdebstrap"
if [ "$suite" = sid ]; then
  # sid's Release file can be past its date.
  echo 'Acquire::Check-Valid-Until "false";' >"$root/etc/apt/apt.conf.d/10-sid"
fi

# Every host has keys and an identity of its own.
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/hostname" "$root/var/lib/dbus/machine-id"
: >"$root/etc/machine-id"

chroot "$root" useradd --create-home --shell /bin/bash --uid 1000 ops
echo 'ops ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/ops"
chmod 0440 "$root/etc/sudoers.d/ops"

mkdir -p "$root/etc/ssh/sshd_config.d"
printf '%s\n' 'PermitRootLogin no' 'PasswordAuthentication no' >"$root/etc/ssh/sshd_config.d/lab.conf"

chroot "$root" systemctl --quiet enable systemd-networkd.service ssh.service
# The address is static, so nothing has to wait for it, and a background apt run would make timings random.
chroot "$root" systemctl --quiet mask systemd-networkd-wait-online.service \
  apt-daily.timer apt-daily-upgrade.timer
