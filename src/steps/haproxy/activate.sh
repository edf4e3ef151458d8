# shellcheck shell=sh
# activate.sh start|restart|reload: brings HAProxy's configuration into force. Success proves nothing, the next
# observation does; a failure that systemd sees is told in HAProxy's own words.

UNIT=haproxy.service

main() {
  verb=$1
  if [ "$verb" != reload ]; then
    # Starts by hand count towards systemd's start limit, too.
    systemctl reset-failed "$UNIT" 2>/dev/null
  fi
  if [ "$verb" = start ]; then
    # It cannot start yet, and is not waited for.
    systemctl --no-block start "$UNIT"
    return
  fi
  if ! said=$(systemctl "$verb" "$UNIT" 2>&1); then
    printf '%s\n' "$said"
    journalctl -q --no-pager -o cat -n 60 --since=-2min _TRANSPORT=stdout _SYSTEMD_UNIT="$UNIT" 2>/dev/null |
      grep -F '[ALERT]' | tail -n 5
    return 1
  fi
}

main "$@"
