# shellcheck shell=sh
# extract.sh TAR DIRECTORY: unpacks a build, compares the sum of each file, and puts it in place in one step.

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
  rm -rf -- "$2" && mv -T -- "$new" "$2" && rm -f -- "$1"
}

main "$@"
