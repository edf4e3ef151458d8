# shellcheck shell=sh
# load.sh: makes systemd take in the units and load the rules that are on disk, now and at boot.

UNIT=meshctl-firewall.service

main() {
  systemctl daemon-reload || exit
  systemctl --quiet enable "$UNIT" || exit
  systemctl reset-failed "$UNIT" 2>/dev/null
  # Not a restart: between its stop and its start there would be no table.
  if systemctl --quiet is-active "$UNIT"; then
    systemctl reload "$UNIT"
  else
    systemctl start "$UNIT"
  fi
}

main "$@"
