# shellcheck shell=sh
# adopt.sh PATH RUN STEP: keeps a copy of a foreign file and records it as ours, so that its writer may replace it.

main() {
  found=$(digest_of "$1") || exit
  keep_for_run "$2" "$3" "$1" "$found" && record_in_manifest "$found" "$1"
}

main "$@"
