# shellcheck shell=sh
# ready.sh [BOOT]: whether the host has come up as far as it will by itself. Prints one line: "ready", "ready REMARK",
# "waits WHAT" or "failed WHY". BOOT is the number of a boot that is to end: another is waited for, and what failed in it is
# told.

main() {
  if [ -n "$1" ]; then
    read -r boot </proc/sys/kernel/random/boot_id
    [ "$boot" != "$1" ] || say waits "until it goes down"
  fi
  system=$(systemctl is-system-running 2>/dev/null)
  case $system in initializing | starting) is_starting=yes ;; *) is_starting="" ;; esac
  remark=""
  if command -v cloud-init >/dev/null; then
    # Its exit code says different things from version to version (2: done, with errors it recovered from).
    said=$(cloud-init status --long </dev/null 2>&1)
    code=$?
    status=$(printf '%s\n' "$said" | sed -n 's/^status: *//p' | head -n 1)
    case $status in
      running) say waits "for cloud-init: $(detail)" ;;
      # Not yet, as long as the system starts; behind that, never.
      "not run" | "not started") [ -z "$is_starting" ] || say waits "for cloud-init to begin" ;;
      error) say failed "cloud-init: $(detail)" ;;
      done) [ "$code" != 2 ] || remark="cloud-init is done, but not all went well: $(detail)" ;;
      disabled) ;;
      *) say failed "cloud-init status is not understood: $(printf '%s' "$said" | tr '\n' ' ')" ;;
    esac
  fi
  if [ -n "$is_starting" ]; then
    say waits "for systemd, which is still starting: $(systemctl list-jobs --no-legend --plain 2>/dev/null |
      while read -r _ unit _ state; do [ "$state" != running ] || printf '%s ' "$unit"; done)"
  fi
  if [ -n "$1" ] && [ "$system" = degraded ]; then
    remark="${remark:+$remark; }these units have failed: $(systemctl list-units --failed --no-legend --plain 2>/dev/null |
      while read -r unit _; do printf '%s ' "$unit"; done)"
  fi
  say ready "$remark"
}

# say WORD TEXT: the answer; there is only one.
say() {
  printf '%s %s\n' "$1" "$2"
  exit 0
}

# What cloud-init tells beside its status, on one line.
detail() {
  printf '%s\n' "$said" | sed -e '/^status:/d' -e '/^boot_status_code:/d' -e '/^time:/d' | tr '\n' ' '
}

main "$@"
