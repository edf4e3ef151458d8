#!/bin/sh
# record-loaded RECORD CONFIGURATION: keeps what HAProxy is being started or reloaded with, under the invocation of its
# unit. Run by systemd as root: a worker gives back no more of its configuration than the description.

main() {
  # /etc/default/haproxy may set another for the unit.
  PATH=/usr/sbin:/usr/bin:/sbin:/bin
  umask 077
  if ! keep "$1" "$2"; then
    # An older one would stand for what was read now.
    rm -f -- "$1" "$1.new"
    return 1
  fi
}

keep() {
  install -d -m 0755 "$(dirname "$1")" || return
  { printf '# invocation %s\n' "$INVOCATION_ID" && cat -- "$2"; } >"$1.new" && mv -fT -- "$1.new" "$1"
}

main "$@"
