# shellcheck shell=sh
# set-online.sh SOCKET: gives the server that listens there the SQL statements on file descriptor 3. As root's own files
# say only where root without them is refused.

main() {
  socket=$1
  client=$(command -v mariadb || command -v mysql) || exit
  statements=$(cat <&3)
  for defaults in --no-defaults "" --defaults-file=/etc/mysql/debian.cnf; do
    ask -e 'DO 0' >/dev/null 2>&1 && break
  done
  printf '%s\n' "$statements" | ask
}

# ask [ARGUMENT]...
ask() {
  # shellcheck disable=SC2086 # no word where there is none
  "$client" $defaults --protocol=socket --socket="$socket" --connect-timeout=5 "$@"
}

main "$@"
