# shellcheck shell=sh
# Sent before a change, behind locks.sh. The lock of a run goes with its connection; this one stays until the change
# itself has ended, and no program that the change starts inherits it (see script-block.ts).

make_locks && exec 8<>"$LOCKS/change" 7<>/run/meshctl/change || exit
flock -n 8 || exit 75
flock -n 7 || ! is_roots_lock /run/meshctl/change || exit 75
