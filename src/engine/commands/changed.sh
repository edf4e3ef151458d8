# shellcheck shell=sh
# changed.sh ITEM...: notes beside the manifest in which boot each item was changed last: a line each of the boot's number,
# seconds since 1970 and the item ("file PATH", "package NAME", "unit NAME"). Before the change itself: one that is cut off
# counts. A meshctl that knows nothing of it leaves it as it is.

main() {
  read -r boot </proc/sys/kernel/random/boot_id && now=$(date +%s) && install -d -m 0700 "$STATE" || exit
  # What a power cut left half-written; one change at a time writes here.
  rm -f -- "$STATE"/.boots.??????
  next=$(mktemp "$STATE/.boots.XXXXXX") || exit
  trap 'rm -f -- "$next"' EXIT
  if [ -e "$STATE/boots" ]; then
    printf '%s\n' "$@" | awk 'NR == FNR { new[$0]; next }
      { item = $0; sub(/^[^ ]+ [^ ]+ /, "", item) }
      !(item in new)' - "$STATE/boots" >"$next" || exit
  fi
  printf "$boot $now %s\n" "$@" >>"$next" && sync "$next" && mv -fT -- "$next" "$STATE/boots" && sync "$STATE"
}

main "$@"
