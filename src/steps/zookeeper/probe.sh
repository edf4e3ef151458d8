# shellcheck shell=sh
# Arguments: mesh address, client port, data directory. Asks what runs, and what would run after a reboot.

CONFIGURATION=/etc/zookeeper/conf/zoo.cfg
UNIT=zookeeper.service

main() {
  address=$1 port=$2 data_dir=$3
  emit_units "$UNIT"
  emit_file "$CONFIGURATION"
  emit_file "/etc/systemd/system/$UNIT"
  emit_file "$data_dir/myid"
  emit_text started /run/meshctl/zookeeper.started
  data "$data_dir"
  configured_port=""
  configuration
  processes
}

# What the file in place says of data directories and the client port: what runs may still be foreign.
configuration() {
  [ -r "$CONFIGURATION" ] || return
  while read -r key value; do
    case $key in
      clientPort) configured_port=$value ;;
      *) [ "$value" = "$data_dir" ] || data "$value" ;;
    esac
  done <<EOF
$(sed -n 's/^[[:space:]]*\(dataDir\|dataLogDir\|clientPort\)[[:space:]]*[=:[:space:]][[:space:]]*\([^[:space:]]*\).*/\1 \2/p' "$CONFIGURATION")
EOF
}

# Record "data": directory, version-2 is there, marked as new, has the first snapshot, later snapshots, logs, epoch: an
# epoch that is there and is no number is "unread".
data() {
  data_version=no data_new=no data_first=no data_later=no data_logs=no data_epoch=""
  [ ! -d "$1/version-2" ] || data_version=yes
  [ ! -e "$1/initialize" ] || data_new=yes
  for data_file in "$1"/version-2/snapshot.* "$1"/version-2/log.*; do
    [ -e "$data_file" ] || continue
    case $data_file in
      */snapshot.0) data_first=yes ;;
      */snapshot.*) data_later=yes ;;
      *) data_logs=yes ;;
    esac
  done
  if [ -e "$1/version-2/currentEpoch" ] || [ -L "$1/version-2/currentEpoch" ]; then
    data_epoch=$(read_text "$1/version-2/currentEpoch")
    case $data_epoch in
      "") [ -f "$1/version-2/currentEpoch" ] && [ ! -s "$1/version-2/currentEpoch" ] || data_epoch=unread ;;
      *[!0-9]*) data_epoch=unread ;;
    esac
  fi
  emit data "$1" "$data_version" "$data_new" "$data_first" "$data_later" "$data_logs" "$data_epoch"
}

# Every ZooKeeper server of the host, whoever started it. The brackets keep grep from finding itself.
processes() {
  found=no
  while read -r cmdline; do
    [ -n "$cmdline" ] || continue
    pid=${cmdline#/proc/}
    pid=${pid%/cmdline}
    comm=""
    { read -r comm <"/proc/$pid/comm"; } 2>/dev/null
    [ "$comm" = java ] || continue
    process "$pid"
    [ "$in_unit" = no ] || found=yes
  done <<EOF
$(grep -lsa "org.apache.zookeeper.server.[q]uorum\|org.apache.zookeeper.server.[Z]ooKeeperServerMain" /proc/[0-9]*/cmdline)
EOF
  # Why there is none, in its own words.
  if [ "$found" = no ] && [ -e "/etc/systemd/system/$UNIT" ]; then
    emit last_words "$(timeout 3 journalctl -q --no-pager -b -u "$UNIT" -n 40 -o cat 2>/dev/null)"
  fi
}

# Record "process": pid, whether the unit's, arguments on a line each. Its records "socket": pid, local address.
process() {
  in_unit=no
  while IFS= read -r line; do
    case $line in */"$UNIT") in_unit=yes ;; esac
  done <<EOF
$(cat "/proc/$1/cgroup" 2>/dev/null)
EOF
  emit process "$1" "$in_unit" "$(tr '\0' '\n' 2>/dev/null <"/proc/$1/cmdline")"
  ask_address="" ask_port=""
  while read -r _ _ _ local _ users; do
    case $users in
      *"pid=$1,"*)
        emit socket "$1" "$local"
        case ${local##*:} in
          "$port" | "$configured_port") ask_at "$local" ;;
        esac
        ;;
    esac
  done <<EOF
$(ss -Hltnp 2>/dev/null)
EOF
  [ "$in_unit" = yes ] || return
  open_files "$1"
  [ -z "$ask_port" ] || ask
}

# A wildcard is asked at the mesh address.
ask_at() {
  ask_port=${1##*:}
  ask_address=${1%:*}
  ask_address=${ask_address#"["}
  ask_address=${ask_address%"]"}
  ask_address=${ask_address#::ffff:}
  case $ask_address in
    "*" | :: | 0.0.0.0) ask_address=$address ;;
  esac
}

# Records "jar": path of an open jar that matters, " (deleted)" behind it when it was replaced since.
# Record "stderr": "journal" when standard error is the stream that systemd made for the unit.
open_files() {
  # By their numbers: a name of the process's choosing may hold a line that looks like a record.
  find "/proc/$1/fd" \( -lname "*/zookeeper*.jar*" -o -lname "*/slf4j-*.jar*" \) -print 2>/dev/null | head -n 50 |
    while IFS= read -r open_file; do
      emit jar "$(readlink "$open_file")"
    done
  stream=$(tr '\0' '\n' 2>/dev/null <"/proc/$1/environ" | sed -n 's/^JOURNAL_STREAM=//p')
  if [ -n "$stream" ] && [ "$stream" = "$(stat -L -c %d:%i "/proc/$1/fd/2" 2>/dev/null)" ]; then
    emit stderr journal
  else
    emit stderr "$(readlink "/proc/$1/fd/2")"
  fi
}

# Record "asked": address, port, and for every four-letter word "== WORD" and its answer.
# Of mntr's hundreds of lines only those that are read leave the host. A server that is stopped takes 2 s.
ask() {
  # shellcheck disable=SC2016 # bash expands it: dash has no /dev/tcp
  emit asked "$ask_address" "$ask_port" "$(timeout 8 bash -c '
    address=$1 port=$2
    shift 2
    for word; do
      printf "== %s\n" "$word"
      exec 3<>"/dev/tcp/$address/$port" || exit
      printf %s "$word" >&3
      answer=""
      IFS= read -r -d "" -t 2 answer <&3
      [ $? -le 128 ] || exit
      exec 3>&-
      printf "%s\n" "$answer"
    done' ask "$ask_address" "$ask_port" srvr mntr conf isro ruok 2>/dev/null |
    awk '!/^zk_/ || /^zk_(version|server_state|synced_followers)[ \t]/')"
}

main "$@"
