# shellcheck shell=sh
# restart.sh UNIT: starts or restarts the database and looks for half a minute whether it fails. It never stops
# waiting by ending the server: a shutdown with dirty pages or a crash recovery takes its time, and is left to it.

main() {
  unit=$1
  # Restarts by hand count for systemd's start limit too.
  systemctl reset-failed -- "$unit" 2>/dev/null
  began=$(date '+%Y-%m-%d %H:%M:%S')
  began_utc=$(date -u '+%Y-%m-%dT%H:%M:%S')
  systemctl restart --no-block -- "$unit" || exit
  looks=0
  while [ "$looks" -lt 100 ]; do
    sleep 0.3
    looks=$((looks + 1))
    active="" restarts=0 job=""
    while IFS='=' read -r property value; do
      case $property in
        ActiveState) active=$value ;;
        NRestarts) restarts=$value ;;
        Job) job=$value ;;
      esac
    done <<END
$(systemctl show --no-pager -p ActiveState -p NRestarts -p Job -- "$unit")
END
    if [ "${restarts:-0}" -gt 0 ] || { [ "$active" = failed ] && [ -z "$job" ]; }; then
      said=$(errors_since "$began")
      printf '%s\n%s does not come up: %s\n' "$said" "$unit" "$(printf '%s\n' "$said" | head -n 1)"
      exit 1
    fi
    if [ "$active" = active ] && [ -z "$job" ]; then
      return 0
    fi
  done
}

# MySQL writes errors to a file with UTC times, MariaDB to the journal. The first error is the cause.
errors_since() {
  log=$(
    journalctl -q --no-pager -o cat --since "$1" -u "$unit" 2>/dev/null
    tail_text /var/log/mysql/error.log | tail -n 40 | awk -v since="$began_utc" '$1 >= since'
  )
  errors=$(printf '%s\n' "$log" | grep -F '[ERROR]' | grep -v 'Aborting *$' | tail -n 8)
  if [ -n "$errors" ]; then printf '%s\n' "$errors"; else printf '%s\n' "$log" | grep -F 'Failed' | tail -n 2; fi
}

main "$@"
