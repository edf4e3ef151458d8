# shellcheck shell=sh
# start.sh UNIT [COMPANION]...: takes the units as they are on disk and starts all, now and at every boot; UNIT last.

main() {
  systemctl daemon-reload || exit
  systemctl enable --quiet "$@" || exit
  # A start limit that was hit before counts restarts by hand too.
  systemctl reset-failed "$@" 2>/dev/null
  unit=$1
  shift
  for companion in "$@"; do
    systemctl restart "$companion" || exit
  done
  systemctl restart "$unit"
}

main "$@"
