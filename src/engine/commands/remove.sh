# shellcheck shell=sh
# remove.sh PATH RUN STEP: removes a file after keeping a copy for the run. Behind guard.sh.

main() {
  keep_for_run "$2" "$3" "$1" - && remove_file "$1" && record_in_manifest - "$1"
}

main "$@"
