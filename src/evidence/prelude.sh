# shellcheck shell=sh
# Sent before every probe. A probe prints records with these and nothing else: one line each, fields
# separated by tabs; a field that would break the line travels as "b64:" and base64.

TAB=$(printf '\t')
NEWLINE='
'

# emit KEY FIELD...
emit() {
  emit_line=$1
  shift
  for emit_field in "$@"; do
    case $emit_field in
      *"$TAB"* | *"$NEWLINE"* | b64:*)
        emit_field=b64:$(printf '%s' "$emit_field" | base64 -w 0)
        ;;
    esac
    emit_line=$emit_line$TAB$emit_field
  done
  printf '%s\n' "$emit_line"
}

# emit_text KEY PATH: the text of a file that the host's own programs write, where there is one. Record "unread": path,
# why, of what is there and is no such text.
emit_text() {
  if text_read=$(read_text "$2"); then
    emit "$1" "$text_read"
  elif [ -e "$2" ] || [ -L "$2" ]; then
    emit unread "$2" "$(stat -c '%F, %s bytes, %U:%G %a' -- "$2")"
  fi
}

# emit_file PATH: record "file": path, kind, mode, owner:group, sha256 (of what is too large to send), the package's own
# digest or "", real path, content (base64 always). Kind is absent, regular, unreadable, or what stat calls it. Links
# are followed, but for those of other users than root, whose directories are read as them. Every program that is
# started here is started for each of a host's files: hence few.
emit_file() {
  find_keeper "$1"
  if [ -n "$keeper" ]; then
    emit_keepers_file "$1"
    return
  fi
  if ! file_stat=$(stat -L -c '%F|%04a|%U:%G|%s' -- "$1" 2>/dev/null); then
    if [ -L "$1" ]; then
      emit file "$1" "dangling link" "" "" "" "" "$(readlink -- "$1")" ""
    else
      emit file "$1" absent "" "" "" "" "" ""
    fi
    return
  fi
  file_kind=${file_stat%%|*}
  file_stat=${file_stat#*|}
  file_mode=${file_stat%%|*}
  file_stat=${file_stat#*|}
  file_owner=${file_stat%%|*}
  file_size=${file_stat#*|}
  file_real=${real-$1}
  case $file_kind in
    "regular file" | "regular empty file") file_kind=regular ;;
    *)
      emit file "$1" "$file_kind" "$file_mode" "$file_owner" "" "" "$file_real" ""
      return
      ;;
  esac
  file_sha="" file_content=""
  if [ "$file_size" -gt 262144 ]; then
    file_sha=$(sha256sum <"$1") || file_kind=unreadable
    file_sha=${file_sha%% *}
  elif [ "$file_size" -gt 0 ]; then
    file_content=$(base64 -w 0 <"$1") || file_kind=unreadable
  fi
  file_default=""
  # A conffile's line in dpkg's database: " PATH MD5" with perhaps " obsolete" behind it.
  : "${conffiles=$(grep '^ /' /var/lib/dpkg/status)}"
  case $NEWLINE$conffiles in
    *"$NEWLINE $file_real "*)
      file_md5=$(md5sum <"$1")
      file_default=no
      case $NEWLINE$conffiles in *"$NEWLINE $file_real ${file_md5%% *}"*) file_default=yes ;; esac
      ;;
  esac
  emit file "$1" "$file_kind" "$file_mode" "$file_owner" "$file_sha" "$file_default" "$file_real" "$file_content"
}

# emit_keepers_file PATH: record "file" of a path that another user than root decides about.
emit_keepers_file() {
  if ! file_stat=$(as_keeper stat -c '%F|%04a|%U:%G|%s' -- "$1"); then
    file_kind=absent
    if [ -e "$1" ] || [ -L "$1" ]; then file_kind=unreadable; fi
    emit file "$1" "$file_kind" "" "" "" "" "" ""
    return
  fi
  file_kind=${file_stat%%|*}
  file_stat=${file_stat#*|}
  file_mode=${file_stat%%|*}
  file_stat=${file_stat#*|}
  file_owner=${file_stat%%|*}
  file_size=${file_stat#*|}
  file_sha="" file_content=""
  case $file_kind in
    "regular file" | "regular empty file")
      file_kind=regular
      if [ "$file_size" -gt 262144 ]; then
        file_sha=$(as_keeper sha256sum -- "$1") || file_kind=unreadable
        file_sha=${file_sha%% *}
      elif [ "$file_size" -gt 0 ]; then
        file_content=$(as_keeper head -c 262144 -- "$1" | base64 -w 0)
        [ -n "$file_content" ] || file_kind=unreadable
      fi
      ;;
  esac
  emit file "$1" "$file_kind" "$file_mode" "$file_owner" "$file_sha" "" "$1" "$file_content"
}

# emit_units UNIT...: records "unit": unit, property, value (ExecStart and EnvironmentFiles once for each). Records
# "unit_line": unit, drop-in, number, key: lines that say how it starts. Records "unit_unread": unit, file that systemd
# has not read. Record "unit_age": unit, seconds that its main process is old.
emit_units() {
  units_current=""
  systemctl show --no-pager \
    -p Id -p LoadState -p ActiveState -p SubState -p UnitFileState -p MainPID -p NRestarts -p Result \
    -p StatusText -p FragmentPath -p DropInPaths -p NeedDaemonReload -p InvocationID \
    -p ExecStart -p Environment -p EnvironmentFiles -p User -p RootDirectory -- "$@" 2>/dev/null | {
    while IFS= read -r units_line; do
      # Properties come in systemd's own order, and blank lines part the units: the names are ours, in ours.
      if [ -z "$units_current" ]; then
        units_current=$1 units_pid=0 units_load="" units_fragment="" units_dropins=""
        shift
      fi
      if [ -z "$units_line" ]; then
        end_unit "$units_current" "$units_pid" "$units_load" "$units_fragment" "$units_dropins"
        units_current=""
        continue
      fi
      units_value=${units_line#*=}
      emit unit "$units_current" "${units_line%%=*}" "$units_value"
      case $units_line in
        MainPID=*) units_pid=$units_value ;;
        LoadState=*) units_load=$units_value ;;
        FragmentPath=*) units_fragment=$units_value ;;
        DropInPaths=*) units_dropins=$units_value ;;
      esac
    done
    [ -z "$units_current" ] ||
      end_unit "$units_current" "$units_pid" "$units_load" "$units_fragment" "$units_dropins"
  }
  # One answer a unit, but none for a unit that is unknown.
  units_enabled=$(systemctl is-enabled -- "$@" 2>/dev/null)
  units_count=$#
  units_asked=$*
  # shellcheck disable=SC2086 # one word each
  set -- $units_enabled
  if [ $# -eq "$units_count" ]; then
    for units_unit in $units_asked; do
      emit unit_enabled "$units_unit" "$1"
      shift
    done
  else
    for units_unit in $units_asked; do
      emit unit_enabled "$units_unit" "$(systemctl is-enabled -- "$units_unit" 2>/dev/null)"
    done
  fi
}

# end_unit UNIT PID LOAD-STATE FRAGMENT DROP-INS: what follows from a unit's properties together.
end_unit() {
  emit_unit_age "$1" "$2"
  # shellcheck disable=SC2086 # one path each
  emit_start_lines "$1" $5
  [ "$3" = loaded ] || return 0
  # Of a directory or a namesake that is new NeedDaemonReload says nothing.
  case $4 in
    "/etc/systemd/system/$1" | /etc/systemd/system.control/* | /run/systemd/transient/*) ;;
    *) [ ! -e "/etc/systemd/system/$1" ] || emit unit_unread "$1" "/etc/systemd/system/$1" ;;
  esac
  for end_file in "/etc/systemd/system/$1.d"/*.conf; do
    if [ ! -f "$end_file" ] || [ ! -s "$end_file" ]; then continue; fi
    case " $5 " in
      # systemd shows where a directory that is a link leads to.
      *" $end_file "* | *" $(readlink -f -- "${end_file%/*}")/${end_file##*/} "*) ;;
      *)
        emit unit_unread "$1" "$end_file"
        emit_start_lines "$1" "$end_file"
        ;;
    esac
  done
}

# emit_start_lines UNIT DROP-IN...
emit_start_lines() {
  start_unit=$1
  shift
  for start_path; do
    start_number=0
    # shellcheck disable=SC2094 # its name is printed, nothing is written
    while read -r start_line || [ -n "$start_line" ]; do
      start_number=$((start_number + 1))
      start_key=${start_line%%=*}
      start_key=${start_key%% *}
      case $start_key in
        ExecStart | Environment | EnvironmentFile | User | RootDirectory)
          emit unit_line "$start_unit" "$start_path" "$start_number" "$start_key"
          ;;
      esac
    done 2>/dev/null <"$start_path"
  done
}

# emit_unit_age UNIT PID. From /proc alone: a hundred ticks are a second on every Linux.
emit_unit_age() {
  if [ "${2:-0}" = 0 ]; then return; fi
  age_unit=$1 age_stat="" age_uptime=""
  { read -r age_stat <"/proc/$2/stat" && read -r age_uptime _ </proc/uptime; } 2>/dev/null || return
  # Fields begin behind the name, which may hold anything; the 20th from there is when it started.
  # shellcheck disable=SC2086 # one word each
  set -- ${age_stat##*) }
  shift 19
  emit unit_age "$age_unit" "$((${age_uptime%.*} - $1 / 100))"
}

# open_files_limit PID: the process's soft limit of open files, or nothing.
open_files_limit() {
  while read -r limit_a limit_b limit_c limit_soft _; do
    if [ "$limit_a $limit_b $limit_c" = "Max open files" ]; then
      printf '%s' "$limit_soft"
    fi
  done 2>/dev/null <"/proc/$1/limits"
}
