# shellcheck shell=sh
# record-loaded.sh [UNIT DIGEST COUNT PATH...]...: notes which files each of these units has just been started or reloaded
# with. DIGEST "-" is that of the COUNT paths as they are. Behind keeper.sh.

RECORD=/var/lib/meshctl/files-loaded

main() {
  umask 077
  install -d -m 0700 "${RECORD%/*}" && touch -- "$RECORD" || exit
  trap 'rm -f -- "$RECORD.new" "$RECORD.old"' EXIT
  while [ $# -gt 0 ]; do
    unit=$1 digest=$2 count=$3
    shift 3
    if [ "$digest" = - ]; then
      digest=$(digest_of_files "$count" "$@") || exit
    fi
    shift "$count"
    invocation=$(systemctl show -p InvocationID --value -- "$unit") && cp -- "$RECORD" "$RECORD.old" || exit
    {
      others "$unit" <"$RECORD.old"
      [ -z "$invocation" ] || printf '%s %s %s %s\n' "$unit" "$invocation" "$digest" "$(date +%s)"
    } >"$RECORD.new" && mv -fT -- "$RECORD.new" "$RECORD" || exit
  done
}

# others UNIT: lines of the record that are of no such unit.
others() {
  while read -r known rest; do
    [ "$known" = "$1" ] || printf '%s %s\n' "$known" "$rest"
  done
}

# digest_of_files COUNT PATH...: as desired.ts makes it of paths in this order.
digest_of_files() {
  left=$1
  shift
  all=$(while [ "$left" -gt 0 ]; do
    find_keeper "$1"
    if as_keeper test -f "$1"; then
      sum=$(as_keeper sha256sum -- "$1")
      # A name with a backslash in it makes another line of it.
      sum=${sum#\\}
      printf '%s %s\n' "$1" "${sum%% *}"
    fi
    left=$((left - 1))
    shift
  done | sha256sum)
  printf '%s\n' "${all%% *}"
}

main "$@"
