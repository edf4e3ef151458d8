# shellcheck shell=sh
# keep.sh: ends the waiting of what would put the table of before back. Fails when it has done so.

UNDO=/run/meshctl/firewall-undo.nft

main() {
  if ! mv -fT -- "$UNDO" "$UNDO.kept" 2>/dev/null; then
    echo "the table of before is in force again: the new connection came too late"
    exit 1
  fi
  systemctl stop meshctl-firewall-undo.timer 2>/dev/null
  rm -f -- "$UNDO.kept"
}

main "$@"
