#!/bin/sh
# Stands before timeout(1) on a lab host, with which meshctl runs each command of a change. Before one of them the
# run loses what /run/cut/what says: its "connection", here; its "process", by the test, which says so by /run/cut/done, and
# the host's side of the change with it.
case "$*" in
"-k 5 "*" sh -s -- "*) ;;
*) exec /usr/bin/timeout "$@" ;;
esac
# All commands of a change are in one session. Those of the run's change number /run/cut/change are counted, and the first
# command behind it is cut off in any case.
session=$(cut -d ' ' -f 6 "/proc/$$/stat")
grep -qsx "$session" /run/cut/sessions || echo "$session" >>/run/cut/sessions
change=$(grep -nx "$session" /run/cut/sessions | cut -d : -f 1)
number=$(($(cat "/run/cut/count.$session" 2>/dev/null || echo 0) + 1))
echo "$number" >"/run/cut/count.$session"
at=$(cat /run/cut/at)
wanted=$(cat /run/cut/change)
if [ "$at" -eq 0 ] || [ "$change" -lt "$wanted" ]; then exec /usr/bin/timeout "$@"; fi
# A change that has not been cut off yet is cut off before its first. It is known by the files that that one names: what is
# left of a change that was begun names some of them.
first=$(printf '%s\n' "$*" | sed -E 's/[0-9]{8}-[0-9]{6}-[0-9a-f]{12}//g' | tr ' ' '\n' | grep / || printf '%s\n' "$*")
if [ "$number" -eq 1 ] && ! printf '%s\n' "$first" | grep -qsxF -f /run/cut-first; then
  printf '%s\n' "$first" >/run/cut-first
  at=1
fi
if [ "$change" -eq "$wanted" ] && [ "$number" -ne "$at" ]; then exec /usr/bin/timeout "$@"; fi
# One that is cut off is not counted: those that follow belong to a run that is over.
echo 0 >/run/cut/at
echo "$number" >/run/cut/reached.new && mv /run/cut/reached.new /run/cut/reached
if [ "$(cat /run/cut/what)" = connection ]; then
  listener=$(systemctl show --property=MainPID --value ssh.service)
  process=$$
  while [ "$process" -gt 1 ]; do
    parent=$(awk '$1 == "PPid:" { print $2 }' "/proc/$process/status")
    case $(cat "/proc/$process/comm") in sshd*) [ "$process" = "$listener" ] || kill -KILL "$process" ;; esac
    process=$parent
  done
  exec /usr/bin/timeout "$@"
fi
waited=0
while [ ! -e /run/cut/done ] && [ "$waited" -lt 600 ]; do
  sleep 0.1
  waited=$((waited + 1))
done
mv /run/cut/done /run/cut/over
ps -o pid= -s "$session" | xargs kill -KILL
