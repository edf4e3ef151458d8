# shellcheck shell=sh
# probe.sh PORT...: meshctl's table on disk and in the kernel, what other tables hold, and who is connected to the ports.

MOST_BYTES=2097152

main() {
  emit_file /etc/meshctl/firewall.nft
  emit_file /etc/systemd/system/meshctl-firewall.service
  emit_file /etc/systemd/system/nftables.service.d/meshctl.conf
  emit_units meshctl-firewall.service nftables.service
  undo
  tables
  peers "$@"
}

# Record "undo": "waiting" or "forgotten", while something is kept to put the table of before back.
undo() {
  [ -e /run/meshctl/firewall-undo.nft ] || return 0
  if systemctl --quiet is-active meshctl-firewall-undo.timer; then
    emit undo waiting
  else
    emit undo forgotten
  fi
}

# Record "nft": "missing", "unreadable" MESSAGE, or "read"; with that "table" TEXT JSON where there is meshctl's, and
# "ruleset" JSON of all tables, without what their sets hold.
tables() {
  if ! [ -x /usr/sbin/nft ]; then
    emit nft missing
    return
  fi
  if ! tables=$(timeout 5 /usr/sbin/nft list tables 2>&1); then
    emit nft unreadable "$tables"
    return
  fi
  case $NEWLINE$tables$NEWLINE in
    *"${NEWLINE}table inet meshctl$NEWLINE"*)
      if ! table=$(timeout 5 /usr/sbin/nft list table inet meshctl 2>&1); then
        emit nft unreadable "$table"
        return
      fi
      emit table "$table" "$(timeout 5 /usr/sbin/nft -j list table inet meshctl 2>&1 | head -c "$MOST_BYTES")"
      ;;
  esac
  emit nft read
  emit ruleset "$(timeout 5 /usr/sbin/nft -t -j list ruleset 2>&1 | head -c "$MOST_BYTES")"
}

# Records "peer": port here, address there, of the connections that others hold to the ports. Record "peers": "read", or
# "unreadable" MESSAGE.
peers() {
  peers_filter="sport = :$1"
  shift
  for peers_port in "$@"; do
    peers_filter="$peers_filter or sport = :$peers_port"
  done
  if ! peers_all=$(ss -Htn state established "( $peers_filter )" 2>&1); then
    emit peers unreadable "$peers_all"
    return
  fi
  emit peers read
  [ -n "$peers_all" ] || return 0
  printf '%s\n' "$peers_all" | while read -r _ _ peers_here peers_there _; do
    emit peer "${peers_here##*:}" "${peers_there%:*}"
  done | sort -u | head -n 1000
}

main "$@"
