# shellcheck shell=sh
# write.sh PATH MODE OWNER:GROUP SHA256 RUN: replaces a whole file atomically with what file descriptor 3 holds.

main() {
  path=$1 mode=$2 owner=$3 digest=$4 run=$5
  # Not install -d: that would change the mode of a directory that is there.
  mkdir -p -- "$(dirname "$path")" || exit
  if ! target=$(readlink -f -- "$path"); then
    echo "$path is a link that leads nowhere"
    exit 1
  fi
  # What a power cut left half-written: one change at a time writes here.
  rm -f -- "$(dirname "$target")"/.meshctl.??????
  new=$(mktemp "$(dirname "$target")/.meshctl.XXXXXX") || exit
  trap 'rm -f -- "$new"' EXIT
  trap 'exit 143' TERM INT HUP
  cat <&3 >"$new" || exit
  found=$(sha256sum <"$new")
  if [ "${found%% *}" != "$digest" ]; then
    echo "what arrived for $path is not what was sent"
    exit 1
  fi
  chown -- "$owner" "$new" && chmod -- "$mode" "$new" || exit
  keep_for_run "$run" "$path" || exit
  # Recorded first: a file of ours that a cut-off run left unrecorded would look like somebody else's for good.
  sync "$new" && record_in_manifest "$digest" "$path" &&
    mv -fT -- "$new" "$target" && sync "$(dirname "$target")"
}

main "$@"
