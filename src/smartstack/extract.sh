# shellcheck shell=sh
# extract.sh TAR DIRECTORY UNIT_FILE: unpacks a build, compares the sum of each file, and puts it in place in one
# step. Of the builds beside it only the one that the unit starts as yet is kept.

main() {
  umask 022
  # What a power cut left half-unpacked: one change at a time works here.
  rm -rf -- "$2".new.??????
  new=$(mktemp -d "$2.new.XXXXXX") || exit
  trap 'rm -rf -- "$new"' EXIT
  chmod 0755 "$new"
  tar -C "$new" --no-same-owner -xzf "$1" || exit
  (cd "$new" && sha256sum --quiet -c SHA256SUMS) || exit
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
