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

# emit_file PATH: record "file": path, kind, mode, owner:group, sha256 (of what is too large to send), the package's own
# digest or "", real path, content (base64 always). Kind is absent, regular, unreadable, or what stat calls it. Links
# are followed. Every program that is started here is started for each of a host's files: hence few.
emit_file() {
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
  find_real_path "$1"
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

# find_real_path PATH: sets file_real to it with no link in it. Most have none.
find_real_path() {
  file_real=$1
  real_part=$1
  while [ -n "$real_part" ]; do
    case $real_part in /. | */./* | */.. | */../* | *//* | [!/]*) break ;; esac
    [ ! -L "$real_part" ] || break
    real_part=${real_part%/*}
  done
  [ -z "$real_part" ] || file_real=$(readlink -f -- "$1")
}

# emit_units UNIT...: records "unit": unit, property, value.
emit_units() {
  units_current=""
  systemctl show --no-pager \
    -p Id -p LoadState -p ActiveState -p SubState -p UnitFileState -p MainPID -p NRestarts -p Result \
    -p StatusText -p FragmentPath -p DropInPaths -p NeedDaemonReload -p InvocationID -- "$@" 2>/dev/null |
    while IFS= read -r units_line; do
      # Properties come in systemd's own order, and blank lines part the units: the names are ours, in ours.
      if [ -z "$units_current" ]; then
        units_current=$1
        shift
      fi
      if [ -z "$units_line" ]; then
        units_current=""
        continue
      fi
      emit unit "$units_current" "${units_line%%=*}" "${units_line#*=}"
    done
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

# open_files_limit PID: the process's soft limit of open files, or nothing.
open_files_limit() {
  while read -r limit_a limit_b limit_c limit_soft _; do
    if [ "$limit_a $limit_b $limit_c" = "Max open files" ]; then
      printf '%s' "$limit_soft"
    fi
  done 2>/dev/null <"/proc/$1/limits"
}
