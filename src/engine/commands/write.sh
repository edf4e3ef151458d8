# shellcheck shell=sh
# write.sh PATH MODE OWNER:GROUP SHA256 RUN STEP: replaces a whole file atomically with what file descriptor 3 holds.
# Behind guard.sh.

main() {
  path=$1 mode=$2 owner=$3 digest=$4 run=$5 step=$6 new=""
  if [ -n "${keeper-}" ] && [ -z "${private_directory-}" ]; then
    write_as_keeper
    return
  fi
  # Not install -d: that would change the mode of a directory that is there.
  mkdir -p -- "${path%/*}/" || exit
  if [ -n "${keeper-}" ]; then
    enter_private && receive "$path" "$digest" || exit
    target=../${path##*/}
  else
    if ! target=$(readlink -f -- "$path"); then
      echo "$path is a link that leads nowhere"
      exit 1
    fi
    receive_beside "$target" "$digest" || exit
  fi
  chown -- "$owner" "$new" && chmod -- "$mode" "$new" || exit
  recorded put_in_place "$target"
}

# recorded COMMAND...: COMMAND puts the new file in place.
recorded() {
  keep_for_run "$run" "$step" "$path" "$digest" || exit
  # Recorded first: a file of ours that a cut-off run left unrecorded would look like somebody else's for good.
  known=$(manifest_digest "$path") || exit
  [ -z "$new" ] || sync "$new" || exit
  record_in_manifest "$digest" "$path" || exit
  "$@" && return
  # Not written (an immutable file, a mount point), so not ours: whatever comes to stand there is somebody else's.
  record_in_manifest "$known" "$path"
  return 1
}

# The way to the file is another user's to change: what is done there is done as this user, and the file is his.
write_as_keeper() {
  if [ "$(id -u -- "${owner%%:*}")" != "${keeper%:*}" ]; then
    refuse_keeper "$path"
  fi
  received=$(base64 -w 0 <&3)
  found=$(printf '%s' "$received" | base64 -d | sha256sum)
  if [ "${found%% *}" != "$digest" ]; then
    echo "what arrived for $path is not what was sent"
    exit 1
  fi
  recorded put_as_keeper
}

# A file beside it and a rename, so that it is the old one or the new one whatever happens. What it prints is another
# user's words.
put_as_keeper() {
  # shellcheck disable=SC2016 # the keeper's shell expands it
  said=$(printf '%s' "$received" | base64 -d |
    timeout -k 1 10 setpriv --reuid="${keeper%:*}" --regid="${keeper#*:}" --clear-groups -- sh -c '
      mkdir -p -- "${1%/*}" && cd -- "${1%/*}" && rm -f -- .meshctl.?????? && new=$(mktemp .meshctl.XXXXXX) || exit
      trap "rm -f -- \"\$new\"" EXIT
      cat >"$new" && chmod -- "$2" "$new" && sync "$new" && mv -fT -- "$new" "${1##*/}" && sync .
    ' sh "$path" "$mode" 2>&1 | head -c 300)
  # A rename that worked is seen, and nothing else proves it.
  [ "$(digest_of "$path")" = "$digest" ] && return
  printf '%s could not be written as the user with the id %s: %s\n' "$path" "${keeper%:*}" "$(printf '%s' "$said" | tr '\n' ' ')"
  return 1
}

main "$@"
