# shellcheck shell=sh
# place.sh PATH SHA256: puts an artefact in place atomically from file descriptor 3.

main() {
  new=""
  mkdir -p -- "$(dirname "$1")" && receive_beside "$1" "$2" && chmod 0644 "$new" && sync "$new" && put_in_place "$1"
}

main "$@"
