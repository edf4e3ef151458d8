# shellcheck shell=sh
# Arguments: the host's folder. The service's file, its state and what it runs with. told-look.ts tells it without a shell.

main() {
  emit_file "$1/config"
  emit state "$(cat "$1/state")"
  emit live "$(cat "$1/live")"
}

main "$@"
