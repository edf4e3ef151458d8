# shellcheck shell=sh
# restart.sh UNIT: starts or restarts the database and looks for half a minute whether it fails. It never stops
# waiting by ending the server: a shutdown with dirty pages or a crash recovery takes its time, and is left to it.

main() {
  unit=$1
  # Restarts by hand count for systemd's start limit too.
  systemctl reset-failed -- "$unit" 2>/dev/null
  began=$(date '+%Y-%m-%d %H:%M:%S')
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
      echo "$unit does not come up:"
      errors_since "$began"
      exit 1
    fi
    if [ "$active" = active ] && [ -z "$job" ]; then
      return 0
    fi
  done
}

# MySQL writes errors to a file, MariaDB to the journal.
errors_since() {
  {
    journalctl -q --no-pager -o cat --since "$1" -u "$unit" 2>/dev/null
    tail -n 40 /var/log/mysql/error.log 2>/dev/null
  } | grep -F -e '[ERROR]' -e 'Failed' | tail -n 8
}

main "$@"
