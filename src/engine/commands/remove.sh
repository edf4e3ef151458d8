# shellcheck shell=sh
# remove.sh PATH RUN: removes a file after keeping a copy for the run.

main() {
  keep_for_run "$2" "$1" && rm -f -- "$1" && record_in_manifest - "$1"
}

main "$@"
