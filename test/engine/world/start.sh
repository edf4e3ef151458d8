# shellcheck shell=sh
# start.sh DIRECTORY: brings what is on disk into force, unless it is stuck. May leave a probe that breaks once.

main() {
  echo start >>"$1/log"
  [ ! -e "$1/slow" ] || sleep 10
  [ -e "$1/stuck" ] || cp "$1/disk" "$1/live"
  [ ! -e "$1/break after start" ] || : >"$1/break once"
}

main "$@"
