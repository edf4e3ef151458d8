# shellcheck shell=sh
# activate.sh restart|keep|reload: makes systemd take in the unit; unless that is all, start it at boot; and, if
# asked, start it anew.
# Exit codes prove nothing here; the next look at the host does.

UNIT=zookeeper.service

main() {
  systemctl daemon-reload || return
  [ "$1" != reload ] || return 0
  systemctl --quiet enable "$UNIT" || return
  [ "$1" = restart ] || return 0
  # systemd counts starts by hand towards its limit too.
  systemctl reset-failed "$UNIT" 2>/dev/null
  systemctl restart "$UNIT"
}

main "$@"
