# shellcheck shell=sh
# Arguments: paths below /proc/sys. Prints what the kernel has there, every line that may set them at boot, whether
# anything reads those, and what the last run of meshctl's that changed them found.

DROP_IN=/etc/sysctl.d/99-zz-meshctl.conf
BEFORE=/var/lib/meshctl/sysctl-before

main() {
  emit_file "$DROP_IN"
  emit loader "$(systemctl show --value -p LoadState -- systemd-sysctl.service 2>/dev/null)"
  if [ -r "$BEFORE" ]; then emit before "$(cat "$BEFORE")"; fi
  values "$@"
  files
}

# Records "value": path, value. Records "missing": path.
# One grep reads all: the kernel gives a number to its first read only, and dash's `read` asks byte by byte.
values() {
  for values_path in "$@"; do
    if [ -e "/proc/sys/$values_path" ]; then
      set -- "$@" "/proc/sys/$values_path"
    else
      emit missing "$values_path"
    fi
    shift
  done
  [ $# -gt 0 ] || return 0
  grep -asH '' "$@" | tr '\t' ' ' | while IFS= read -r values_line; do
    values_path=${values_line%%:*}
    emit value "${values_path#/proc/sys/}" "${values_line#*:}"
  done
}

# Records "conf": path, real path. Records "line": path, number, text. Whatever has a name hides its
# namesakes in later directories: a link to /dev/null, to nothing, a directory. It is a file without lines then.
files() {
  set --
  for files_path in /etc/sysctl.d/*.conf /run/sysctl.d/*.conf /usr/local/lib/sysctl.d/*.conf \
    /usr/lib/sysctl.d/*.conf /lib/sysctl.d/*.conf /etc/sysctl.conf; do
    [ -e "$files_path" ] || [ -L "$files_path" ] || continue
    files_real=$files_path
    if [ -L "$files_path" ]; then
      files_real=$(readlink -f -- "$files_path")
    fi
    emit conf "$files_path" "$files_real"
    if [ -f "$files_path" ]; then
      set -- "$@" "$files_path"
    fi
  done
  [ $# -gt 0 ] || return 0
  awk '!/^[ \t]*([#;]|$)/ {
    gsub(/[\t\r]/, " "); sub(/^b64:/, " &"); name = FILENAME; gsub(/[\t\n]/, "?", name)
    print "line\t" name "\t" FNR "\t" $0
  }' "$@"
}

main "$@"
