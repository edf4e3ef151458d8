# shellcheck shell=sh
# stage.sh DIRECTORY PATH MODE OWNER:GROUP: puts what file descriptor 3 holds where a validator can read it.

main() {
  # The first directory made here may be /var/lib/meshctl itself, and what is staged may hold secrets.
  umask 077
  staged=$1$2
  mkdir -p -- "${staged%/*}/" || exit
  cat <&3 >"$staged" || exit
  chown -- "$4" "$staged" && chmod -- "$3" "$staged"
}

main "$@"
