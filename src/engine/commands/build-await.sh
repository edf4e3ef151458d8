# shellcheck shell=sh
# Stands before a build's script, which gets the arguments behind the first, NAME: waits for the build by that name where
# build-begin.sh has begun it, and ends as it did. Where none was begun, or its host was booted since, the script is run.

build_folder=$BUILDS/$1 build_unit=meshctl-build-$1.service
shift

build_property() {
  systemctl show --value --property="$1" "$build_unit"
}

# await_build: prints what the build says while it says it.
await_build() {
  build_pid=$(build_property MainPID)
  if [ "${build_pid:-0}" -gt 0 ]; then
    tail -n +1 -s 0.2 -f --pid="$build_pid" -- "$build_folder/output"
  else
    cat -- "$build_folder/output"
  fi
  while build_state=$(build_property SubState) && [ "$build_state" = running ]; do sleep 0.2; done
  cat -- "$build_folder/errors" >&2
  build_result=$(build_property Result) build_status=$(build_property ExecMainStatus)
  systemctl stop "$build_unit" 2>/dev/null
  systemctl reset-failed "$build_unit" 2>/dev/null
  rm -rf -- "$build_folder"
  [ "$build_result" != timeout ] || return 124
  [ "$build_result" = success ] || [ "${build_status:-0}" -gt 0 ] || return 1
  return "${build_status:-1}"
}

if [ -e "$build_folder/begun" ]; then
  await_build
  exit
fi
drop_builds
