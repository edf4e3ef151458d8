#!/bin/sh
# try-haproxy-start CONFIG OPEN_FILES: starts HAProxy with CONFIG as its unit would (master and worker, chroot, its own
# user, that many open files), apart from everything: a network without anybody in it, sockets and processes of its own.
# `haproxy -c` takes configurations that no HAProxy starts with. Exit code 0 once a worker
# answers, 9 when HAProxy ends before, whose words are printed; anything else when that could not be tried here.

# How long HAProxy may take to begin: a slow start is no refusal.
PATIENCE_S=20
PROGRAMS=/opt/meshctl/watcher
# A reload takes more files than a start: those that the worker of before hands over.
RELOAD_FILES=32

main() {
  if [ "${3-}" != inside ]; then
    # What is started goes with this: it is the first process of its own.
    timeout --signal=KILL "$((PATIENCE_S + 5))" \
      unshare --net --mount --pid --fork --kill-child -- "$0" "$1" "$2" inside && return
    case $? in
      9) return 9 ;;
      *) return 75 ;;
    esac
  fi
  alone "$1" && start "$1" "$2"
}

# Makes the surroundings that the configuration asks for.
alone() {
  ip link set lo up && install -d /run/haproxy && mount -t tmpfs -o mode=0755 tmpfs /run/haproxy &&
    chown haproxy:haproxy /run/haproxy || exit 75
  # Addresses of front ends that are the host's.
  awk '$1 == "bind" { sub(/:[0-9]+$/, "", $2); if ($2 !~ /^(127\.|::1?$|0\.0\.0\.0$|\*?$)/) print $2 }' "$1" | sort -u |
    while read -r address; do
      case $address in
        *:*) ip address add "$address/128" dev lo nodad ;;
        *) ip address add "$address/32" dev lo ;;
      esac || exit 1
    done || exit 75
}

start() {
  files=$2
  [ "$files" != infinity ] || files=$(cat /proc/sys/fs/nr_open)
  prlimit --nofile="$files:$files" --pid "$$" 2>/dev/null
  files=$(prlimit --nofile --output=HARD --noheadings --raw --pid "$$") || exit 75
  if [ "$files" != unlimited ]; then
    files=$((files - RELOAD_FILES))
    prlimit --nofile="$files:$files" --pid "$$" || exit 75
  fi
  haproxy -W -f "$1" -p /run/haproxy/haproxy.pid &
  started=$!
  ends_at=$(($(uptime_seconds) + PATIENCE_S))
  while [ "$(uptime_seconds)" -lt "$ends_at" ]; do
    if [ -n "$("$PROGRAMS/haproxy-worker" /run/haproxy/admin.sock 2>/dev/null)" ]; then
      exit 0
    fi
    if ! kill -0 "$started" 2>/dev/null; then
      exit 9
    fi
    sleep 0.05
  done
  exit 75
}

# No clock that somebody may set.
uptime_seconds() {
  read -r seconds _ </proc/uptime
  printf '%s' "${seconds%%.*}"
}

main "$@"
