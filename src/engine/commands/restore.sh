# shellcheck shell=sh
# restore.sh PATH RUN STEP FROM EXPECTED: puts back what run FROM replaced at PATH, and what the manifest said of it,
# if the file still has the digest EXPECTED. RUN keeps what is there now. Behind guard.sh.

main() {
  path=$1 run=$2 step=$3 from=$4 expected=$5 new=""
  present=$(digest_of "$path") || exit
  if [ "$present" != "$expected" ]; then
    echo "$path has changed since it was looked at"
    exit 1
  fi
  before="" in_manifest=""
  while read -r _ _ known_before known_manifest known_path; do
    if [ "$known_path" = "$path" ] && [ -z "$before" ]; then
      before=$known_before in_manifest=$known_manifest
    fi
  done <<END
$(listed "$STATE/runs/$from/files")
END
  copy=$STATE/runs/$from/before$path
  copied=$(sha256sum 2>/dev/null <"$copy")
  if [ -z "$before" ] || { [ "$before" != - ] && [ "${copied%% *}" != "$before" ]; }; then
    echo "run $from does not hold what was at $path before it"
    exit 1
  fi
  if [ "$before" = - ]; then
    keep_for_run "$run" "$step" "$path" - && remove_file "$path" && record_in_manifest - "$path"
    return
  fi
  if [ -z "${keeper-}" ]; then
    mkdir -p -- "${path%/*}/" && target=$(readlink -f -- "$path") && new_beside "$target" || exit
  elif [ -n "${private_directory-}" ]; then
    enter_private && target=../${path##*/} || exit
  else
    refuse_keeper "$path"
  fi
  cp -p -- "$copy" "$new" && keep_for_run "$run" "$step" "$path" "$before" || exit
  # Cut between the two, the file is still known as meshctl's.
  sync "$new" && put_in_place "$target" && record_in_manifest "$in_manifest" "$path"
}

main "$@"
