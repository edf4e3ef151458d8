# shellcheck shell=sh
# Sent before the scripts that put a file in place.

# new_beside TARGET [PREFIX]: makes an empty file beside TARGET, which nobody but root can read, and names it in $new. It
# goes with this shell unless it has been moved into place. Each who may write there meanwhile has a prefix of its own.
new_beside() {
  # What a power cut left half-written: one change at a time writes here.
  rm -f -- "${1%/*}/${2:-.meshctl}".??????
  new=$(mktemp "${1%/*}/${2:-.meshctl}.XXXXXX") || return
  trap 'rm -f -- "$new"' EXIT
  trap 'exit 143' TERM INT HUP
}

# receive_beside TARGET DIGEST: a new file beside TARGET with what file descriptor 3 holds, all of it.
receive_beside() {
  new_beside "$1" && receive "$1" "$2"
}

# receive TARGET DIGEST: what file descriptor 3 holds, into the new file.
receive() {
  cat <&3 >"$new" || return
  found=$(sha256sum <"$new")
  if [ "${found%% *}" != "$2" ]; then
    echo "what arrived for $1 is not what was sent"
    return 1
  fi
}

# put_in_place TARGET: replaces it with the new file, so that it is the old one or the new one whatever happens.
put_in_place() {
  mv -fT -- "$new" "$1" && sync "${1%/*}/"
}

# enter_private: for a target in a directory that another user than root can write ($private_directory, which root alone
# leads to): makes a folder there that is root's, and goes into it. Its names, and the target as ../NAME, are reached
# through no link that this user could make. Sets $new.
enter_private() {
  cd -P -- "${private_directory-}" || return
  private_place=$(stat -c %d:%i .)
  rm -rf -- .meshctl.??????
  private=$(mktemp -d .meshctl.XXXXXX) || return
  trap 'cd / && rm -rf -- "$private_directory/$private"' EXIT
  trap 'exit 143' TERM INT HUP
  cd -P -- "$private" || return
  if [ "$(stat -c '%u %a' .) $(stat -c %d:%i ..)" != "$(id -u) 700 $private_place" ]; then
    echo "somebody changes $private_directory meanwhile"
    return 1
  fi
  new=new
}
