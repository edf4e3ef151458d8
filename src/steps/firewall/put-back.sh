# shellcheck shell=sh
# put-back.sh: puts in force what is on disk after files were put back: the rules of before, or none.

RULES=/etc/meshctl/firewall.nft
UNIT=meshctl-firewall.service

main() {
  systemctl daemon-reload || exit
  if [ -e "$RULES" ] && [ -e "/etc/systemd/system/$UNIT" ]; then
    systemctl --quiet enable "$UNIT" && systemctl reload-or-restart "$UNIT"
    return
  fi
  # Its file may be gone: its links are not.
  systemctl --quiet disable "$UNIT" 2>/dev/null
  rm -f -- "/etc/systemd/system/sysinit.target.wants/$UNIT"
  systemctl stop "$UNIT" 2>/dev/null
  tables=$(/usr/sbin/nft list tables) || exit
  if printf '%s\n' "$tables" | grep -qxF 'table inet meshctl'; then
    /usr/sbin/nft delete table inet meshctl
  fi
}

main "$@"
