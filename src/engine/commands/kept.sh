# shellcheck shell=sh
# kept.sh [RUN]: what runs replaced on this host, oldest first: record "kept" with run, step, digest now, digest before,
# path and digest in the manifest before, a line of each run's list at a time (see manifest.sh). Of RUN also every file
# before and now: records "file" of the copy and of the path.

main() {
  for list in /var/lib/meshctl/runs/*/files; do
    [ -e "$list" ] || continue
    kept=${list%/files}
    while read -r step digest before known path; do
      emit kept "${kept##*/}" "$step" "$digest" "$before" "$path" "$known"
    done <"$list"
  done
  kept=/var/lib/meshctl/runs/$1
  if [ $# -eq 0 ] || [ ! -e "$kept/files" ]; then
    return 0
  fi
  sed 's/^[^ ]* [^ ]* [^ ]* [^ ]* //' "$kept/files" | sort -u | while IFS= read -r path; do
    emit_file "$kept/before$path"
    emit_file "$path"
  done
}

main "$@"
