# shellcheck shell=sh
# remove.sh PATH RUN STEP: removes a file after keeping a copy for the run.

main() {
  keep_for_run "$2" "$3" "$1" - && rm -f -- "$1" && record_in_manifest - "$1"
}

main "$@"
