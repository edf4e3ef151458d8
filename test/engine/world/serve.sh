# shellcheck shell=sh
# serve.sh DIRECTORY: starts a service with the file "config" there. What the file says decides what comes of it.

main() {
  cd "$1" || exit
  config=none
  if [ -e config ]; then config=$(cat config); fi
  echo "serve $config" >>log
  if [ "$config" = poison ]; then : >poisoned; fi
  if [ -e poisoned ]; then config=dies; fi
  case $config in
    refused)
      echo down >state
      echo "the service does not take its configuration"
      exit 1
      ;;
    dies) echo down >state ;;
    slow) echo changing >state ;;
    late) echo down >state && : >late ;;
    clamped) echo up >state && echo half >live ;;
    *) echo up >state && echo "$config" >live ;;
  esac
}

main "$@"
