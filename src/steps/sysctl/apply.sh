# shellcheck shell=sh
# Arguments: KEY VALUE KEY VALUE … Sets them in this order, all of them even when one is refused.
# procps 3.3 exits 0 on a value that the kernel refused, so any message counts as a refusal.

main() {
  refused=0
  while [ $# -ge 2 ]; do
    if ! message=$(sysctl -q -w "$1=$2" 2>&1) || [ -n "$message" ]; then
      printf '%s = %s was refused: %s\n' "$1" "$2" "$message" >&2
      refused=1
    fi
    shift 2
  done
  return "$refused"
}

main "$@"
