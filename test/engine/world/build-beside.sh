# shellcheck shell=sh
# build-beside.sh PATH DIRECTORY: builds something that says what the host served when it began, once it serves something else
# or is told to go on; fails where the host says so.

main() {
  began=$(cat "$2/live")
  echo "began" >>"$2/builds"
  echo "building something"
  if [ -e "$2/broken" ]; then
    echo "the compiler is broken" >&2
    return 3
  fi
  tries=0
  while [ "$(cat "$2/live")" = "$began" ] && [ ! -e "$2/go" ] && [ "$tries" -lt 300 ]; do
    sleep 0.1
    tries=$((tries + 1))
  done
  mkdir -p "$(dirname "$1")" && printf '%s then %s' "$began" "$(cat "$2/live")" >"$1"
}

main "$@"
