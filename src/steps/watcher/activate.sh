# shellcheck shell=sh
# activate.sh WATCHER PATH: takes the units as they are on disk and starts both, now and at every boot.

main() {
  systemctl daemon-reload || exit
  systemctl enable --quiet "$1" "$2" || exit
  # A start limit that was hit before counts restarts by hand too.
  systemctl reset-failed "$1" "$2" 2>/dev/null
  systemctl restart "$2" && systemctl restart "$1"
}

main "$@"
