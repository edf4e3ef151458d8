# shellcheck shell=sh
# create-user.sh USER HOME: a system user that nobody logs in as.

main() {
  if getent passwd "$1" >/dev/null; then
    return 0
  fi
  useradd --system --user-group --home-dir "$2" --no-create-home --shell /usr/sbin/nologin "$1"
}

main "$@"
