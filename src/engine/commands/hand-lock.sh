# shellcheck shell=sh
# hand-lock.sh set TEXT | clear | show: the lock that a person puts on the host, which no run ends. Prints "was TEXT" or
# "none": what was there before. Behind locks.sh.

main() {
  before=$(hand_lock)
  case $1 in
    set)
      if [ -z "$before" ]; then
        install -d -m 0700 /var/lib/meshctl || exit
        umask 077
        # Of a full disk nothing but the file may be left.
        if ! printf '%s\n' "$2" >"$HAND_LOCK.new" || ! mv -fT -- "$HAND_LOCK.new" "$HAND_LOCK"; then
          rm -f -- "$HAND_LOCK.new"
          exit 1
        fi
      fi
      ;;
    clear) rm -f -- "$HAND_LOCK" || exit ;;
  esac
  if [ -n "$before" ]; then printf 'was %s\n' "$before"; else echo none; fi
}

main "$@"
