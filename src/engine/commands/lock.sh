# shellcheck shell=sh
# lock.sh HOLDER: takes the host's lock for as long as standard input stays open. Prints "locked", or "busy PID HOLDER",
# or "closed TEXT" when a person has locked the host (hand-lock.sh), or "held WHAT" when what has it is no run that says so, or "unfinished" when a change (begin.sh) outlived the run that
# made it, or "failed WHY". Behind locks.sh.

main() {
  closed=$(hand_lock)
  [ -z "$closed" ] || say "closed $closed"
  made=$(make_locks 2>&1) || say "failed $made"
  exec 9<>"$LOCKS/run" 7<>/run/meshctl/lock || exit
  flock -n 9 || refuse "$LOCKS/run"
  # An older meshctl has it, or somebody who opened it while everybody could.
  flock -n 7 || ! is_roots_lock /run/meshctl/lock || refuse /run/meshctl/lock
  exec 8<>"$LOCKS/change" 6<>/run/meshctl/change || exit
  flock -n 8 || say unfinished
  flock -n 6 || ! is_roots_lock /run/meshctl/change || say unfinished
  exec 8>&- 6>&-
  # $$ is the shell around this one, which may end before it.
  read -r pid _ </proc/self/stat
  # A name that a full disk cut off is none.
  { printf '%s %s\n' "$pid" "$1" >/run/meshctl/lock.holder; } 2>/dev/null || : >/run/meshctl/lock.holder
  echo locked
  # For who reads the host's journal. Whoever waits for the lock does not wait for this.
  timeout 2 logger -t meshctl -- "may change this host: $1" </dev/null >/dev/null 2>&1 9>&- 7>&-
  cat >/dev/null 9>&- 7>&-
}

# refuse FILE: what has the lock. A process is named only if the kernel says that it has: what was written down may be of
# a process that ended long ago, and its number another's by now.
refuse() {
  { read -r pid holder </run/meshctl/lock.holder; } 2>/dev/null
  if [ -n "$(holders "$1" "${pid:-none}")" ]; then
    say "busy $pid $holder"
  fi
  for process in $(holders "$1"); do
    say "held $process $(ps -o user=,comm= -p "$process" | tr -s ' ')"
  done
  say held
}

# say LINE: the answer; there is only one.
say() {
  printf '%s\n' "$(printf '%s' "$1" | tr '\n' ' ')"
  exit 0
}

main "$@"
