#!/bin/sh
# Runs one lab host until it powers off, in the mount and network namespace it is started in.
# usage: host.sh NAME LOWER DISK UNIFIED BRIDGE CGROUP...
# LOWER is what its root is made of below its own disk: one path, or several with ':' between them, the upper one first.
# UNIFIED is 1 or 0: whether the host's systemd gets the unified cgroup hierarchy.
set -eu
name=$1 lower=$2 disk=$3 unified=$4 bridge=$5
shift 5
for cgroup in "$@"; do
  echo $$ >"$cgroup/cgroup.procs"
done

# This namespace's mounts end with its last process: a crash leaves none behind.
mkdir -p /run/systemd/nspawn
mount -t tmpfs -o mode=0755 lab /run/systemd/nspawn
# The machine never loses its page cache under a lab, so syncing to disk buys nothing.
rm -rf "$disk/work/work/incompat"
mount -t overlay -o "lowerdir=$lower,upperdir=$disk/upper,workdir=$disk/work,volatile" lab "$disk/root"

# What was there before the boot has older time stamps than what is changed in it: those are read in whole seconds, and the
# overlay sets some of them when it first comes by.
find "$disk/root/etc" "$disk/root/usr/lib/systemd" >/dev/null 2>&1 || :
sleep 1

# Exit code 133 asks for a reboot: a new start of the same root.
while :; do
  code=0
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=$unified systemd-nspawn --quiet --boot \
    --directory="$disk/root" --machine="$name" --register=no --keep-unit \
    --network-veth --network-bridge="$bridge" \
    --resolv-conf=off --timezone=off --link-journal=no --console=read-only </dev/null || code=$?
  [ "$code" -eq 133 ] || exit "$code"
done
