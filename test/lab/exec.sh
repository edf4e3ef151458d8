#!/bin/sh
# Runs a shell script as root inside a lab host, below the host's memory cap.
# usage: exec.sh CGROUP INIT SECONDS SCRIPT
# INIT is the host's process 1 as the machine sees it.
set -eu
cgroup=$1 init=$2 seconds=$3 script=$4
mkdir -p "$cgroup"
echo $$ >"$cgroup/cgroup.procs"
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
  nsenter --target "$init" --mount --uts --ipc --net --pid --cgroup --root --wd -- \
  timeout --signal=KILL "${seconds}s" sh -c "$script"
