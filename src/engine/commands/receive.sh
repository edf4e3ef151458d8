# shellcheck shell=sh
# Sent before the scripts that put a file in place.

# new_beside TARGET: makes an empty file beside TARGET, which nobody but root can read, and names it in $new. It goes
# with this shell unless it has been moved into place.
new_beside() {
  # What a power cut left half-written: one change at a time writes here.
  rm -f -- "$(dirname "$1")"/.meshctl.??????
  new=$(mktemp "$(dirname "$1")/.meshctl.XXXXXX") || return
  trap 'rm -f -- "$new"' EXIT
  trap 'exit 143' TERM INT HUP
}

# receive_beside TARGET DIGEST: a new file beside TARGET with what file descriptor 3 holds, all of it.
receive_beside() {
  new_beside "$1" && cat <&3 >"$new" || return
  found=$(sha256sum <"$new")
  if [ "${found%% *}" != "$2" ]; then
    echo "what arrived for $1 is not what was sent"
    return 1
  fi
}

# put_in_place TARGET: replaces it with the new file, so that it is the old one or the new one whatever happens.
put_in_place() {
  mv -fT -- "$new" "$1" && sync "$(dirname "$1")"
}
