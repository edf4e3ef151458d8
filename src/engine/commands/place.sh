# shellcheck shell=sh
# place.sh PATH SHA256: puts an artefact in place atomically from file descriptor 3.

main() {
  mkdir -p -- "$(dirname "$1")" || exit
  # What a power cut left half-written: one change at a time writes here.
  rm -f -- "$(dirname "$1")"/.meshctl.??????
  new=$(mktemp "$(dirname "$1")/.meshctl.XXXXXX") || exit
  trap 'rm -f -- "$new"' EXIT
  trap 'exit 143' TERM INT HUP
  cat <&3 >"$new" || exit
  found=$(sha256sum <"$new")
  if [ "${found%% *}" != "$2" ]; then
    echo "what arrived for $1 is not what was sent"
    exit 1
  fi
  chmod 0644 "$new" && sync "$new" && mv -fT -- "$new" "$1" && sync "$(dirname "$1")"
}

main "$@"
