# shellcheck shell=sh
# No arguments. Prints what the host offers beyond the facts that are read of every host.

main() {
  directories
  space
  range=$(cat /proc/sys/net/ipv4/ip_local_port_range)
  emit local_port_range "${range%%[!0-9]*}" "${range##*[!0-9]}"
  emit reserved_ports "$(cat /proc/sys/net/ipv4/ip_local_reserved_ports)"
  flush /var/lib
}

# Records "directory": path, "yes" when it can be written. access(2) tells of a read-only file system to root too.
directories() {
  for directory in /etc /usr /var /opt /run; do
    [ -d "$directory" ] || continue
    if [ -w "$directory" ]; then
      emit directory "$directory" yes
    else
      emit directory "$directory" no
    fi
  done
}

# Records "space": path, block size, free blocks, inodes (0 when the file system has no fixed number), free inodes.
space() {
  set --
  for directory in /usr /var /opt; do
    [ -d "$directory" ] && set -- "$@" "$directory"
  done
  stat -f -c '%n %S %a %c %d' -- "$@" 2>/dev/null | while read -r path size blocks inodes free; do
    emit space "$path" "$size" "$blocks" "$inodes" "$free"
  done
}

# flush PATH: record "flush": file, number of flushes, their milliseconds, of the disk that holds the path.
flush() {
  mounted="" device=""
  while read -r _ _ major_minor _ mount _; do
    case $1/ in
      "${mount%/}"/*)
        if [ "${#mount}" -ge "${#mounted}" ]; then
          mounted=$mount device=$major_minor
        fi
        ;;
    esac
  done </proc/self/mountinfo
  counters=/sys/dev/block/$device
  # The kernel counts flushes for whole disks only.
  [ -e "$counters/partition" ] && counters=$counters/..
  [ -r "$counters/stat" ] || return 0
  read -r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ count milliseconds _ <"$counters/stat"
  [ -n "$milliseconds" ] && emit flush "$counters/stat" "$count" "$milliseconds"
  return 0
}

main "$@"
