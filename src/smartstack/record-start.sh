#!/bin/sh
# record-start RECORD FILE...: says what a unit is being started with: its invocation, and the sum of each file.
# Run by systemd as root before the program reads the files. Root alone reads the record: a file may hold a password, which
# its sum lets one try out.

main() {
  umask 077
  install -d -m 0755 "$(dirname "$1")" || exit
  record=$1
  shift
  {
    printf 'invocation %s\n' "$INVOCATION_ID"
    sha256sum -- "$@"
  } >"$record.new" && mv -fT -- "$record.new" "$record"
}

main "$@"
