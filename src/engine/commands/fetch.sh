# shellcheck shell=sh
# fetch.sh PATH: prints a file as base64 and removes it.

main() {
  base64 -- "$1" && rm -f -- "$1"
}

main "$@"
