# shellcheck shell=sh
# adopt.sh PATH RUN: keeps a copy of a foreign file and records it as ours, so that its writer may replace it.

main() {
  keep_for_run "$2" "$1" || exit
  found=$(sha256sum <"$1") || exit
  record_in_manifest "${found%% *}" "$1"
}

main "$@"
