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

# emit_file PATH: record "file": path, kind, mode, owner:group, sha256, the package's own digest or "",
# real path, content (base64 always). Kind is absent, regular, or what stat calls it. Links are followed.
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
  file_real=$(readlink -f -- "$1")
  case $file_kind in
    "regular file" | "regular empty file") ;;
    *)
      emit file "$1" "$file_kind" "$file_mode" "$file_owner" "" "" "$file_real" ""
      return
      ;;
  esac
  file_sha=$(sha256sum <"$1")
  # A conffile's line in dpkg's database: " PATH MD5" with perhaps " obsolete" behind it.
  file_default=""
  file_packaged=$(grep -m 1 -F -- " $file_real " /var/lib/dpkg/status)
  if [ -n "$file_packaged" ]; then
    file_md5=$(md5sum <"$1")
    case $file_packaged in
      *" ${file_md5%% *}"*) file_default=yes ;;
      *) file_default=no ;;
    esac
  fi
  file_content=""
  if [ "$file_size" -le 262144 ]; then
    file_content=$(base64 -w 0 <"$1")
  fi
  emit file "$1" regular "$file_mode" "$file_owner" "${file_sha%% *}" "$file_default" "$file_real" "$file_content"
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
  for units_unit in "$@"; do
    emit unit_enabled "$units_unit" "$(systemctl is-enabled -- "$units_unit" 2>/dev/null)"
  done
}

# open_files_limit PID: the process's soft limit of open files, or nothing.
open_files_limit() {
  while read -r limit_a limit_b limit_c limit_soft _; do
    if [ "$limit_a $limit_b $limit_c" = "Max open files" ]; then
      printf '%s' "$limit_soft"
    fi
  done 2>/dev/null <"/proc/$1/limits"
}
