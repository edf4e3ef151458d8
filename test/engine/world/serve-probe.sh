# shellcheck shell=sh
# Arguments: the host's folder. The service's file, its state and what it runs with. A late service is up after a look.

main() {
  emit_file "$1/config"
  emit state "$(cat "$1/state")"
  emit live "$(cat "$1/live")"
  if [ -e "$1/late" ]; then
    rm "$1/late"
    echo up >"$1/state"
    echo late >"$1/live"
  fi
}

main "$@"
