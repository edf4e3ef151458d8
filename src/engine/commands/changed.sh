# shellcheck shell=sh
# changed.sh ITEM...: notes beside the manifest in which boot each item was changed last: a line each of the boot's number,
# seconds since 1970 and the item ("file PATH", "package NAME", "unit NAME"). Before the change itself: one that is cut off
# counts. A meshctl that knows nothing of it leaves it as it is.

# known ITEM ITEM...: whether the first is among the others.
known() {
  sought=$1
  shift
  for each in "$@"; do [ "$each" != "$sought" ] || return 0; done
  return 1
}

# others ITEM...: lines of the record that are of no such item.
others() {
  while read -r old_boot old_time item; do
    known "$item" "$@" || printf '%s %s %s\n' "$old_boot" "$old_time" "$item"
  done
}

main() {
  read -r boot </proc/sys/kernel/random/boot_id && now=$(date +%s) && install -d -m 0700 "$STATE" || exit
  # What a power cut left half-written; one change at a time writes here.
  rm -f -- "$STATE"/.boots.??????
  next=$(mktemp "$STATE/.boots.XXXXXX") || exit
  trap 'rm -f -- "$next"' EXIT
  # cat says why it cannot write.
  {
    [ ! -e "$STATE/boots" ] || others "$@" <"$STATE/boots"
    printf "$boot $now %s\n" "$@"
  } | cat >"$next" || exit
  sync "$next" && mv -fT -- "$next" "$STATE/boots" && sync "$STATE"
}

main "$@"
