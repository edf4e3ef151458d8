#!/bin/sh
# Runs one virtual machine until it powers off.
# usage: machine.sh CGROUPS COMMAND...
# CGROUPS are folders with blanks between them.
set -eu
for cgroup in $1; do
  echo $$ >"$cgroup/cgroup.procs"
done
shift
# Lower than whoever waits for it, as an emulated processor never has enough.
exec nice -n 2 "$@"
