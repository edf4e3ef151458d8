# shellcheck shell=sh
# set-online.sh: gives the running server the SQL statements on file descriptor 3.

main() {
  client=$(command -v mariadb || command -v mysql) || exit
  statements=$(cat <&3)
  if "$client" --protocol=socket --connect-timeout=5 -e 'DO 0' >/dev/null 2>&1 || [ ! -r /etc/mysql/debian.cnf ]; then
    printf '%s\n' "$statements" | "$client" --protocol=socket --connect-timeout=5
  else
    printf '%s\n' "$statements" | "$client" --defaults-file=/etc/mysql/debian.cnf --protocol=socket
  fi
}

main "$@"
