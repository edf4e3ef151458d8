# shellcheck shell=sh
# Sent before a script that prints records with these and nothing else: one line each, fields
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
