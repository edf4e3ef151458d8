# shellcheck shell=sh
# Arguments: the host's folder. What is on disk and in force there; breaks and flaps when it is told to.

main() {
  if [ -e "$1/break once" ]; then
    rm "$1/break once"
    exit 3
  fi
  emit disk "$(cat "$1/disk")"
  if [ -e "$1/flap" ]; then
    # Every other look finds what runs changed.
    if [ -e "$1/flapped" ]; then rm "$1/flapped"; else : >"$1/flapped"; fi
  fi
  if [ -e "$1/flapped" ]; then emit live flapping; else emit live "$(cat "$1/live")"; fi
  emit count "$(wc -l <"$1/log")"
  [ ! -e "$1/blocked" ] || emit blocked
}

main "$@"
