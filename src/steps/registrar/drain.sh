# shellcheck shell=sh
# drain.sh UNIT SECONDS: stops the registrar, and the host's backends leave the mesh. Systemd starts it again so many seconds
# later, unless undrain.sh has done so before.

UNDRAIN=meshctl-undrain

main() {
  systemctl stop "$UNDRAIN.timer" 2>/dev/null
  systemd-run --quiet --collect --unit="$UNDRAIN" --on-active="$2" systemctl start "$1" || exit
  systemctl stop "$1"
}

main "$@"
