# shellcheck shell=sh
# validate.sh STAGED SERVER PATH USER PROTECT_SYSTEM: lets the server's own parser read all option files as they
# would be with the staged PATH among them. Nothing is started, and the real files are not touched.

main() {
  staged=$1 server=$2 path=$3 user=$4 protect_system=$5
  copy=$staged/option-files
  trap 'rm -rf -- "$copy"' EXIT
  mkdir -p -- "$copy" && cp -a /etc/mysql/. "$copy" && cp -pf -- "$staged$path" "$copy/${path#/etc/mysql/}" || exit
  read_only=""
  case $protect_system in
    full | strict) read_only=,ro ;;
  esac
  case $server in
    mariadb) said=$(with_copy /usr/sbin/mariadbd --help --verbose 2>&1 >/dev/null) ;;
    mysql) said=$(with_copy /usr/sbin/mysqld --validate-config 2>&1) ;;
  esac
  code=$?
  # The exit code alone proves nothing: MariaDB's is 0 for a number that it cannot read.
  if [ "$code" -ne 0 ] || printf '%s\n' "$said" | grep -q -e '\[ERROR\]' -e '^error: '; then
    printf 'the server would refuse its option files (exit code %s):\n' "$code"
    # The last line is the cause that is told: MySQL closes with one that names none.
    printf '%s\n' "$said" | grep -v 'Aborting *$' | grep -e '\[ERROR\]' -e '^error: ' || printf '%s\n' "$said" | tail -n 5
    exit 1
  fi
}

# Runs a command as the service's user, with the copy in the place of /etc/mysql: names in messages stay true.
with_copy() {
  # shellcheck disable=SC2016 # the inner shell expands it
  timeout 20 unshare --mount sh -c 'mount -o "bind$2" "$1" /etc/mysql && shift 2 && cd / && exec "$@"' sh \
    "$copy" "$read_only" setpriv --reuid="$user" --regid="$user" --init-groups -- "$@"
}

main "$@"
