# shellcheck shell=sh
# undrain.sh UNIT: starts the registrar again, and what drain.sh has armed has nothing left to do.

main() {
  systemctl start "$1" || exit
  systemctl stop meshctl-undrain.timer 2>/dev/null
  return 0
}

main "$@"
