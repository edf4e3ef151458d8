# shellcheck shell=sh
# extract.sh TAR DIRECTORY UNIT_FILE: unpacks a build, compares the sum of each file, and puts it in place in one
# step. Of the builds beside it only the one that the unit starts as yet is kept.

main() {
  umask 022
  # What a power cut left half-unpacked: one change at a time works here.
  rm -rf -- "$2".new.??????
  new=$(mktemp -d "$2.new.XXXXXX") || exit
  trap 'rm -rf -- "$new"' EXIT
  # A link or a device would be there before anybody looked at it, and a set-user-ID program anybody's to run.
  if tar -tvzf "$1" | grep -v '^[-d]'; then
    echo "$1 holds more than plain files and directories"
    exit 1
  fi
  # The folder is root's alone until all in it is as it should be.
  tar -C "$new" --no-same-owner --no-same-permissions -m -xzf "$1" && chmod -R a-s,a-t,u=rwX,go=rX "$new" || exit
  (cd "$new" && sha256sum --quiet -c SHA256SUMS) || exit
  chmod 0755 "$new"
  sync -f "$new"
  rm -rf -- "$2" && mv -T -- "$new" "$2" && rm -f -- "$1" || exit
  # A damaged build is mended in place, and then the one before it is not known.
  if ! grep -qsF -- "$2/" "$3"; then
    prune "$2" "$3"
  fi
}

# prune DIRECTORY UNIT_FILE
prune() {
  for sums in "${1%/*}"/*/SHA256SUMS; do
    tree=${sums%/*}
    if [ -e "$sums" ] && [ "$tree" != "$1" ] && ! grep -qsF -- "$tree/" "$2"; then
      rm -rf -- "$tree"
    fi
  done
}

main "$@"
