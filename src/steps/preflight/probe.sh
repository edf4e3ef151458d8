# shellcheck shell=sh
# Arguments: "yes" for a member of the ensemble, its mesh address, ZooKeeper's client port and data directory, then the
# mesh addresses of the members to measure the way to. Prints what the host offers beyond the facts that are read of
# every host. Nothing here has a name on the host's disks or outlives the probe.

main() {
  is_member=$1 address=$2 port=$3 data_dir=$4
  shift 4
  for peer in "$@"; do
    round_trip "$peer" &
  done
  directories
  # What is not there yet will be made in what is.
  until [ -d "$data_dir" ] || [ -z "$data_dir" ]; do
    data_dir=${data_dir%/*}
  done
  data_dir=${data_dir:-/}
  set -- /usr /var /opt /var/lib/mysql
  [ "$is_member" = no ] || set -- "$@" "$data_dir"
  space "$@"
  range=$(cat /proc/sys/net/ipv4/ip_local_port_range)
  emit local_port_range "${range%%[!0-9]*}" "${range##*[!0-9]}"
  emit reserved_ports "$(cat /proc/sys/net/ipv4/ip_local_reserved_ports)"
  [ "$is_member" = no ] || flush
  wait
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

# space PATH...: for each that is there a record "space": path, block size, free blocks, inodes (0 when the file system
# has no fixed number), free inodes.
space() {
  for directory in "$@"; do
    shift
    [ ! -d "$directory" ] || set -- "$@" "$directory"
  done
  stat -f -c '%n %S %a %c %d' -- "$@" 2>/dev/null | while read -r path size blocks inodes free; do
    emit space "$path" "$size" "$blocks" "$inodes" "$free"
  done
}

# Record "round_trip": address of a peer, microseconds of up to three connects to its client port on a line each, and
# what bash says of those that failed. A refused connect is a round trip too. ZooKeeper writes a warning for a
# connection that asks nothing: hence the question, whose answer is not waited for.
round_trip() {
  # shellcheck disable=SC2016 # bash expands it: dash has no /dev/tcp
  emit round_trip "$1" "$(timeout 2 bash -c '
    for _ in 1 2 3; do
      start=${EPOCHREALTIME/./}
      if exec 3<>"/dev/tcp/$0/$1"; then
        printf "%s\n" "$((${EPOCHREALTIME/./} - start))"
        printf ruok >&3
        exec 3>&-
      else
        printf "%s\n" "$((${EPOCHREALTIME/./} - start))"
      fi
    done' "$1" "$port" 2>&1)"
}

# How long a flush of the disk takes that ZooKeeper writes its log to. Best from ZooKeeper itself, where it runs and
# counts; else it is measured, and where that cannot be done without a trace the kernel's counters must do.
flush() {
  flush_words=$(flush_of_zookeeper)
  flush_count=${flush_words%% *}
  # The mean of a few says little.
  if [ "${flush_count:-0}" -ge 20 ]; then
    emit flush zookeeper "$address:$port" "$flush_words"
    return
  fi
  if flush_words=$(flush_of_ten_writes "$data_dir" 2>&1); then
    emit flush measured "$data_dir" "$flush_words"
  else
    [ $? -ne 124 ] || flush_words="no end within 5 s"
    flush_of_kernel "$data_dir" || emit flush unread "$data_dir" "$flush_words"
  fi
}

# Prints how many flushes of its log ZooKeeper counted and their mean in milliseconds; nothing before 3.6.
flush_of_zookeeper() {
  # shellcheck disable=SC2016 # bash expands it: dash has no /dev/tcp
  timeout 3 bash -c '
    exec 3<>"/dev/tcp/$0/$1" || exit
    printf mntr >&3
    IFS= read -r -d "" -t 2 answer <&3
    printf "%s" "$answer"' "$address" "$port" 2>/dev/null |
    awk '$1 == "zk_cnt_fsynctime" { count = $2 } $1 == "zk_avg_fsynctime" { mean = $2 }
      END { if (count != "" && mean != "") printf "%d %s\n", count, mean }'
}

# flush_of_ten_writes DIRECTORY: prints the microseconds of each of up to ten writes that are on the disk when they
# return. The file never has a name (O_TMPFILE, the same number on all but alpha, parisc and sparc): it is gone with
# the process however that ends.
flush_of_ten_writes() {
  # shellcheck disable=SC2016 # perl's and bash's variables
  timeout 5 perl -MFcntl -e '
    my $unnamed = 020000000 | O_DIRECTORY;
    sysopen(my $file, shift, $unnamed | O_RDWR | O_DSYNC, 0600) or die "$!\n";
    open(STDIN, "<&", $file) or die "$!\n";
    exec @ARGV or die "$!\n"' "$1" bash -c '
    for _ in 1 2 3 4 5 6 7 8 9 10; do
      start=${EPOCHREALTIME/./}
      printf "%0512d" 0 >&0 || exit
      printf "%s\n" "$((${EPOCHREALTIME/./} - start))"
      # A slow disk has told enough.
      ((SECONDS < 2)) || break
    done'
}

# flush_of_kernel PATH: the number of flushes since boot of the disk that holds the path, and their milliseconds (fields
# 16 and 17 of https://docs.kernel.org/block/stat.html). Disks without a volatile cache are never flushed.
flush_of_kernel() {
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
  [ -r "$counters/stat" ] || return
  read -r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ count milliseconds _ <"$counters/stat"
  [ "${count:-0}" -ge 100 ] || return
  emit flush kernel "$counters/stat" "$count $milliseconds"
}

main "$@"
