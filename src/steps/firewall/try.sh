# shellcheck shell=sh
# try.sh SECONDS: puts the rules that file descriptor 3 holds in force. After SECONDS the table of now is put back, unless
# keep.sh comes first. One rename decides between the two.

UNDO=/run/meshctl/firewall-undo.nft
TIMER=meshctl-firewall-undo

main() {
  umask 077
  install -d -m 0755 /run/meshctl && cat <&3 >"$UNDO.try" || exit
  systemctl stop "$TIMER.timer" "$TIMER.service" 2>/dev/null
  # What an earlier change that nobody kept was to put back is older than what is in force now.
  [ -e "$UNDO" ] || keep_present || exit
  if ! systemd-run --quiet --collect --unit="$TIMER" --on-active="$1" --timer-property=AccuracySec=1s \
    --property=Type=oneshot --property="ExecStartPre=/bin/mv -fT $UNDO $UNDO.now" /usr/sbin/nft -f "$UNDO.now"; then
    rm -f -- "$UNDO" "$UNDO.try"
    exit 1
  fi
  if ! /usr/sbin/nft -f "$UNDO.try"; then
    # Nothing was loaded, not even in part.
    systemctl stop "$TIMER.timer"
    rm -f -- "$UNDO" "$UNDO.try"
    exit 1
  fi
  rm -f -- "$UNDO.try"
  # The host may have stood still for so long that it was put back before the rules came.
  [ -e "$UNDO" ] || { /usr/sbin/nft -f "$UNDO.now" && echo "they came after the $1 s that they may take" && exit 1; }
}

# The table of now, as text that replaces whatever is there by then.
keep_present() {
  tables=$(/usr/sbin/nft list tables) || return
  printf 'table inet meshctl\ndelete table inet meshctl\n' >"$UNDO.new" || return
  if printf '%s\n' "$tables" | grep -qxF 'table inet meshctl'; then
    /usr/sbin/nft list table inet meshctl >>"$UNDO.new" || return
  fi
  mv -fT -- "$UNDO.new" "$UNDO"
}

main "$@"
