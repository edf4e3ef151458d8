# shellcheck shell=sh
# set.sh DIRECTORY VALUE: puts a value on disk.

main() {
  echo "set $2" >>"$1/log"
  printf %s "$2" >"$1/disk"
}

main "$@"
