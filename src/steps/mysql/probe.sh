# shellcheck shell=sh
# Prints which server is installed, every line of its option files that matters, what the server itself makes of
# them, and what the one that runs answers. No arguments.

main() {
  export LC_ALL=C
  emit_file /etc/mysql/mariadb.conf.d/zz-meshctl.cnf
  emit_file /etc/mysql/mysql.conf.d/zz-meshctl.cnf
  if [ -x /usr/sbin/mariadbd ]; then
    server=mariadb binary=/usr/sbin/mariadbd unit=mariadb.service
  elif [ -x /usr/sbin/mysqld ]; then
    server=mysql binary=/usr/sbin/mysqld unit=mysql.service
  else
    emit server none
    return
  fi
  emit server "$server"
  emit_units "$unit"
  read_service
  for file in /etc/my.cnf /etc/mysql/my.cnf; do
    if [ -f "$file" ]; then read_options "$file" 0; fi
  done
  parsed=$(ask_option_parser)
  printf '%s\n' "$parsed"
  read_persisted
  case $active in
    active) ask_server ;;
    failed | activating) read_errors ;;
  esac
}

# Sets active, user, protect_system and data_directory from the unit; prints what else may give the server options.
read_service() {
  active="" main_pid=0 user=mysql protect_system=no data_directory=""
  while IFS='=' read -r property value; do
    case $property in
      ActiveState) active=$value ;;
      MainPID) main_pid=$value ;;
      User) user=${value:-root} ;;
      ProtectSystem) protect_system=$value ;;
      ExecStart | Environment)
        emit unit_options "$value"
        case $value in
          *--datadir=*)
            data_directory=${value##*--datadir=}
            data_directory=${data_directory%%[ \"]*}
            ;;
        esac
        ;;
      EnvironmentFiles) read_environment "${value%% (ignore_errors=*}" ;;
      Job) emit job "$value" ;;
    esac
  done <<END
$(systemctl show --no-pager -p ActiveState -p MainPID -p User -p ProtectSystem -p ExecStart -p Environment \
    -p EnvironmentFiles -p Job -- "$unit" 2>/dev/null)
END
  emit user "$user" "$(id -Gn -- "$user" 2>/dev/null)" "$protect_system"
  if [ "$main_pid" -gt 0 ] && [ -r "/proc/$main_pid/cmdline" ]; then
    emit process "$main_pid" "$(ps -o etimes= -p "$main_pid" 2>/dev/null)" \
      "$(tr '\0' ' ' 2>/dev/null <"/proc/$main_pid/cmdline")"
  fi
}

read_environment() {
  if [ ! -r "$1" ]; then return; fi
  while IFS= read -r line || [ -n "$line" ]; do
    trim "$line"
    case $trimmed in
      '#'* | ';'*) ;;
      *innodb* | *defaults* | *_HOME=* | *_GROUP_SUFFIX=*) emit unit_options "$trimmed" ;;
    esac
  done <"$1"
}

# read_options FILE DEPTH: records "conf" in the order in which the server reads. A subshell: it calls itself.
read_options() (
  path=$1 depth=$2 number=0
  emit conf file "$path" "$(stat -L -c '%04a %U %G' -- "$path" 2>/dev/null)"
  # shellcheck disable=SC2094 # its name is printed, nothing is written
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    trim "$line"
    case $trimmed in
      '#'* | ';'*) ;;
      '!includedir'*)
        trim "${trimmed#?includedir}"
        directory=${trimmed%/}
        emit conf directory "$directory"
        # The server takes hidden files too.
        for file in "$directory"/.*.cnf "$directory"/*.cnf; do
          if [ "$depth" -lt 9 ] && [ -f "$file" ]; then read_options "$file" $((depth + 1)); fi
        done
        emit conf end "$directory"
        ;;
      '!include'*)
        trim "${trimmed#?include}"
        if [ "$depth" -lt 9 ] && [ -f "$trimmed" ]; then read_options "$trimmed" $((depth + 1)); fi
        ;;
      # Nothing else: option files hold passwords too.
      '['* | *[Ii][Nn][Nn][Oo][Dd][Bb]*) emit conf line "$path" "$number" "$trimmed" ;;
    esac
  done <"$path"
)

# trim TEXT: sets trimmed to it without white space at either end.
trim() {
  trimmed=${1#"${1%%[![:space:]]*}"}
  trimmed=${trimmed%"${trimmed##*[![:space:]]}"}
}

# Record "persisted": path, content. What SET PERSIST left lies in the data directory, wherever that is.
read_persisted() {
  if [ -z "$data_directory" ]; then
    case $parsed in
      *"parser${TAB}datadir$TAB"*) data_directory=${parsed#*"parser${TAB}datadir$TAB"} ;;
      *) data_directory=/var/lib/mysql ;;
    esac
    data_directory=${data_directory%%"$NEWLINE"*}
  fi
  persisted_file=${data_directory%/}/mysqld-auto.cnf
  if persisted=$(read_text "$persisted_file"); then
    emit persisted "$persisted_file" "$persisted"
  elif [ -e "$persisted_file" ] || [ -L "$persisted_file" ]; then
    emit unread "$persisted_file" "$(stat -c '%F, %s bytes, %U:%G %a' -- "$persisted_file")"
  fi
}

# What the server's own parser makes of all option files (and of SET PERSIST): it knows every quirk of them.
# It starts nothing and opens no table.
ask_option_parser() {
  {
    as_server "$binary" --help --verbose 2>&1
    echo "exit $?"
    # Of MySQL, only this refuses an unknown name. MariaDB has no such option: 10.5 would start a second server.
    if [ "$server" = mysql ]; then
      as_server "$binary" --validate-config 2>&1
      echo "exit $?"
    fi
  } | awk '
    { gsub(/\t/, " ") }
    $1 == "exit" && NF == 2 { print "parser\texit\t" $2; next }
    / Ver [0-9]/ && !version { print "parser\tversion\t" $0; version = 1 }
    /^The following groups are read: / { sub(/^[^:]*: /, ""); print "parser\tgroups\t" $0 }
    $1 == "datadir" { sub(/^datadir +/, ""); print "parser\tdatadir\t" $0; next }
    $1 == "persisted-globals-load" { print "parser\tvalue\t" $1 "\t" ($2 != "FALSE") }
    /^innodb-(buffer-pool-size|log-file-size|redo-log-capacity|flush-log-at-trx-commit) / {
      print "parser\tvalue\t" $1 "\t" $2
    }
    /\[ERROR\]|^error: / { print "parser\terror\t" $0 }
  '
}

# Runs a command as the service would: by its user, who may not read all that root reads, and with /etc read-only
# if the unit has it so, for then MariaDB takes world-writable files that it would ignore otherwise.
as_server() {
  case $protect_system in
    full | strict)
      # shellcheck disable=SC2016 # the inner shell expands it
      timeout 8 unshare --mount sh -c 'mount -o bind,ro /etc/mysql /etc/mysql; cd /; exec "$@"' sh \
        setpriv --reuid="$user" --regid="$user" --init-groups -- "$@"
      ;;
    *) timeout 8 setpriv --reuid="$user" --regid="$user" --init-groups -- "$@" ;;
  esac
}

ask_server() {
  client=$(command -v mariadb || command -v mysql)
  # Where root has a password, Debian's MySQL keeps a maintenance account that has none to ask for.
  if ! answer=$(query 2>&1); then
    refusal=$answer
    if [ ! -r /etc/mysql/debian.cnf ] || ! answer=$(query --defaults-file=/etc/mysql/debian.cnf 2>/dev/null); then
      emit live_error "$refusal"
      return
    fi
  fi
  socket=""
  while IFS="$TAB" read -r name value; do
    case $name in
      socket) socket=$value ;;
      [Ii]nnodb_* | version | Uptime) emit live "$name" "$value" ;;
    esac
  done <<END
$answer
END
  if [ -n "$socket" ]; then
    listener=$(ss -Hxlp "src $socket" 2>/dev/null)
    listener=${listener##*pid=}
    emit answered_by "${listener%%,*}" "$socket"
  fi
}

# By local socket always, whatever root's own client options say.
query() {
  timeout 8 "$client" "$@" -N -B --protocol=socket --connect-timeout=5 -e "
    SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'socket', 'innodb_buffer_pool_size',
      'innodb_buffer_pool_size_max', 'innodb_buffer_pool_chunk_size', 'innodb_buffer_pool_instances',
      'innodb_log_file_size', 'innodb_redo_log_capacity', 'innodb_flush_log_at_trx_commit');
    SHOW GLOBAL STATUS WHERE Variable_name IN ('Uptime', 'Innodb_redo_log_capacity_resized')" </dev/null
}

# The last errors of a server that does not come up: MySQL writes them to a file, MariaDB to the journal.
read_errors() {
  {
    tail_text /var/log/mysql/error.log
    journalctl -q --no-pager -o cat -b -n 100 -u "$unit" 2>/dev/null
  } | grep -F '[ERROR]' | grep -v 'Aborting *$' | tail -n 6 | while IFS= read -r line; do
    emit error "$line"
  done
}

main "$@"
