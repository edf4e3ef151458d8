# shellcheck shell=sh
# unload.sh: takes meshctl's table out of force, now and at boot, and nothing else.

UNDO=/run/meshctl/firewall-undo.nft
UNIT=meshctl-firewall.service

main() {
  systemctl stop meshctl-firewall-undo.timer 2>/dev/null
  rm -f -- "$UNDO"
  if [ -e "/etc/systemd/system/$UNIT" ]; then
    systemctl --quiet disable --now "$UNIT" || exit
  fi
  [ -x /usr/sbin/nft ] || return 0
  tables=$(/usr/sbin/nft list tables) || exit
  if printf '%s\n' "$tables" | grep -qxF 'table inet meshctl'; then
    /usr/sbin/nft delete table inet meshctl
  fi
}

main "$@"
