# shellcheck shell=sh
# Sent before a change. The lock of a run goes with its connection; this one stays until the change itself has ended,
# and no program that the change starts inherits it (see script-block.ts).

install -d -m 0755 /run/meshctl && exec 8<>/run/meshctl/change && flock -n 8 || exit 75
