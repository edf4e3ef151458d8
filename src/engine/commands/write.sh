# shellcheck shell=sh
# write.sh PATH MODE OWNER:GROUP SHA256 RUN STEP: replaces a whole file atomically with what file descriptor 3 holds.

main() {
  path=$1 mode=$2 owner=$3 digest=$4 run=$5 step=$6 new=""
  # Not install -d: that would change the mode of a directory that is there.
  mkdir -p -- "$(dirname "$path")" || exit
  if ! target=$(readlink -f -- "$path"); then
    echo "$path is a link that leads nowhere"
    exit 1
  fi
  receive_beside "$target" "$digest" || exit
  chown -- "$owner" "$new" && chmod -- "$mode" "$new" || exit
  keep_for_run "$run" "$step" "$path" "$digest" || exit
  # Recorded first: a file of ours that a cut-off run left unrecorded would look like somebody else's for good.
  known=$(manifest_digest "$path") || exit
  sync "$new" && record_in_manifest "$digest" "$path" || exit
  put_in_place "$target" && return
  # Not written (an immutable file, a mount point), so not ours: whatever comes to stand there is somebody else's.
  record_in_manifest "$known" "$path"
  return 1
}

main "$@"
