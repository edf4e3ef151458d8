# shellcheck shell=sh
# Sent before what takes a lock of the host's. flock(2) asks for no more than the right to read, so that the files lie
# where root alone comes. An older meshctl knows only those in /run/meshctl, where everybody could open them: they are
# taken, too, unless somebody else than root has them.

LOCKS=/run/meshctl/locks

# What a person locked the host with.
HAND_LOCK=/var/lib/meshctl/locked

# hand_lock: why, who and since when; nothing where nobody did. Only root writes there, and one that says nothing is one
# all the same.
hand_lock() {
  [ -e "$HAND_LOCK" ] || return 0
  hand_lock_text=""
  IFS= read -r hand_lock_text <"$HAND_LOCK"
  printf '%s' "${hand_lock_text:-nobody says who}"
}

make_locks() {
  install -d -m 0755 /run/meshctl && install -d -m 0700 "$LOCKS" || return
  for lock_file in "$LOCKS/run" "$LOCKS/change" /run/meshctl/lock /run/meshctl/change; do
    [ -e "$lock_file" ] || (umask 077 && : >>"$lock_file") || return
  done
  chmod 0600 "$LOCKS/run" "$LOCKS/change" /run/meshctl/lock /run/meshctl/change
}

# holders FILE [PID]: each process, or this one if it does, that has an open file with a lock on FILE, as the kernel
# tells it.
holders() {
  lock_place=$(stat -L -c %d:%i -- "$1")
  lock_name=${1##*/}
  if [ $# -eq 1 ]; then
    set -- /proc/[0-9]*/fd
  else
    set -- "/proc/$2/fd"
  fi
  find "$@" -maxdepth 1 -lname "*/$lock_name" 2>/dev/null | while IFS= read -r lock_open; do
    lock_process=${lock_open%/fd/*}
    if grep -qs '^lock:.*FLOCK' "$lock_process/fdinfo/${lock_open##*/}" &&
      [ "$(stat -L -c %d:%i -- "$lock_open" 2>/dev/null)" = "$lock_place" ]; then
      printf '%s\n' "${lock_process#/proc/}"
    fi
  done
}

# is_roots_lock FILE: whether a process of root's has it.
is_roots_lock() {
  for lock_holder in $(holders "$1"); do
    if [ "$(stat -c %u "/proc/$lock_holder" 2>/dev/null)" = "$(id -u)" ]; then return 0; fi
  done
  return 1
}
