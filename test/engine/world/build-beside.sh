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
  serves=$began
  # Nothing stands there for a moment while it is written.
  while { [ "$serves" = "$began" ] || [ -z "$serves" ]; } && [ ! -e "$2/go" ] && [ "$tries" -lt 300 ]; do
    sleep 0.1
    serves=$(cat "$2/live")
    tries=$((tries + 1))
  done
  mkdir -p "$(dirname "$1")" && printf '%s then %s' "$began" "$serves" >"$1"
}

main "$@"
