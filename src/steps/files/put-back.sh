# shellcheck shell=sh
# put-back.sh [UNIT ENABLED ACTIVE restart|reload|nothing]...: makes units go by files that were put back, and start at boot
# and run as before. "-" is what nobody knows: such a unit stays as it is.

main() {
  systemctl daemon-reload || exit
  failed=0
  while [ $# -gt 0 ]; do
    put_back "$@" || failed=1
    shift 4
  done
  return "$failed"
}

# put_back UNIT ENABLED ACTIVE ON-CHANGE
put_back() {
  if [ "$(systemctl show -p LoadState --value -- "$1")" = not-found ]; then
    # Its file is gone: its process and its links are not.
    systemctl stop -- "$1" 2>/dev/null
    systemctl --quiet disable -- "$1" 2>/dev/null
    find /etc/systemd/system -xtype l -path "*.wants/$1" -delete
    systemctl reset-failed -- "$1" 2>/dev/null
    return 0
  fi
  is_back=0
  case $2 in
    enabled) systemctl --quiet enable -- "$1" || is_back=1 ;;
    disabled) systemctl --quiet disable -- "$1" || is_back=1 ;;
  esac
  case $3 in
    active | activating | reloading) run_again "$1" "$4" || is_back=1 ;;
    inactive) systemctl stop -- "$1" || is_back=1 ;;
    *) ! systemctl --quiet is-active -- "$1" || run_again "$1" "$4" || is_back=1 ;;
  esac
  return "$is_back"
}

# run_again UNIT ON-CHANGE
run_again() {
  systemctl reset-failed -- "$1" 2>/dev/null
  case $2 in
    restart) systemctl restart -- "$1" ;;
    reload) systemctl reload-or-restart -- "$1" ;;
    *) systemctl start -- "$1" ;;
  esac
}

main "$@"
