# shellcheck shell=sh
# lock.sh HOLDER: takes the host's lock for as long as standard input stays open. Prints "locked", or "busy PID HOLDER",
# or "unfinished" when a change (begin.sh) outlived the run that made it.

main() {
  install -d -m 0755 /run/meshctl || exit
  exec 9<>/run/meshctl/lock || exit
  if ! flock -n 9; then
    echo "busy $(cat /run/meshctl/lock.holder 2>/dev/null)"
    exit 0
  fi
  exec 8<>/run/meshctl/change || exit
  if ! flock -n 8; then
    echo unfinished
    exit 0
  fi
  exec 8>&-
  # $$ is the shell around this one, which may end before it.
  read -r pid _ </proc/self/stat
  printf '%s %s\n' "$pid" "$1" >/run/meshctl/lock.holder
  echo locked
  cat >/dev/null 9>&-
}

main "$@"
