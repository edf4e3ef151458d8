# shellcheck shell=sh
# kept.sh [RUN]: what runs replaced on this host, oldest first by the host's clock: record "kept" with run, step, digest
# now, digest before, path and digest in the manifest before, a line of each run's list at a time (see manifest.sh). Of
# RUN also every file before and now: records "file" of the copy and of the path.

main() {
  runs_by_age | tac | while IFS= read -r kept; do
    [ -e "$kept/files" ] || continue
    listed "$kept/files" | while read -r step digest before known path; do
      emit kept "${kept##*/}" "$step" "$digest" "$before" "$path" "$known"
    done
  done
  kept=$STATE/runs/$1
  if [ $# -eq 0 ] || [ ! -e "$kept/files" ]; then
    return 0
  fi
  listed "$kept/files" | sed 's/^[^ ]* [^ ]* [^ ]* [^ ]* //' | sort -u | while IFS= read -r path; do
    emit_file "$kept/before$path"
    emit_file "$path"
  done
}

main "$@"
