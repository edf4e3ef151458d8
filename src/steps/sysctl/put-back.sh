# shellcheck shell=sh
# put-back.sh [PATH VALUE]... -- [PATH]...: gives the kernel these values again, and then what its files say, as at the
# next boot. Paths behind the dashes are keys of which nobody knows what the kernel had: it fails, and names them, when
# no file gives them a value. Paths are below /proc/sys.

main() {
  failed=0
  while [ "$1" != -- ]; do
    set_value "$1" "$2" || failed=1
    shift 2
  done
  shift
  # It fails for any line of anybody's that it cannot apply: what the kernel has is looked at below and by the probe.
  systemctl restart systemd-sysctl.service || :
  kept=""
  for path; do
    is_named "$path" || kept="$kept, $path = $(value_of "$path")"
  done
  if [ -n "$kept" ]; then
    echo "until it is rebooted the kernel keeps what no file says any more, and what it had before is not on record: ${kept#, }"
    failed=1
  fi
  return "$failed"
}

# set_value PATH VALUE: also an empty one.
set_value() {
  if { printf '%s\n' "$2" >"/proc/sys/$1"; } 2>/dev/null && [ "$(value_of "$1")" = "$2" ]; then
    return
  fi
  printf '%s: the kernel does not take "%s" back and keeps "%s"\n' "$1" "$2" "$(value_of "$1")"
  return 1
}

value_of() {
  tr '\t' ' ' 2>/dev/null <"/proc/sys/$1"
}

# is_named PATH: whether a file that is read at boot gives it a value. A dot and a slash mean the same there.
is_named() {
  pattern=$(printf '%s' "$1" | sed 's|/|[./]|g')
  grep -qsE "^[[:space:]]*-?${pattern}[[:space:]]*=" /etc/sysctl.d/*.conf /run/sysctl.d/*.conf \
    /usr/local/lib/sysctl.d/*.conf /usr/lib/sysctl.d/*.conf /lib/sysctl.d/*.conf
}

main "$@"
