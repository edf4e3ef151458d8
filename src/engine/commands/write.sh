# shellcheck shell=sh
# write.sh PATH MODE OWNER:GROUP SHA256 RUN: replaces a whole file atomically with what file descriptor 3 holds.

main() {
  path=$1 mode=$2 owner=$3 digest=$4 run=$5
  install -d -m 0755 -- "$(dirname "$path")" || exit
  target=$(readlink -f -- "$path") || exit
  new=$(mktemp "$(dirname "$target")/.meshctl.XXXXXX") || exit
  trap 'rm -f -- "$new"' EXIT
  cat <&3 >"$new" || exit
  found=$(sha256sum <"$new")
  if [ "${found%% *}" != "$digest" ]; then
    echo "what arrived for $path is not what was sent"
    exit 1
  fi
  chown -- "$owner" "$new" && chmod -- "$mode" "$new" || exit
  keep_for_run "$run" "$path" || exit
  sync "$new" && mv -fT -- "$new" "$target" && sync "$(dirname "$target")" || exit
  record_in_manifest "$digest" "$path"
}

main "$@"
