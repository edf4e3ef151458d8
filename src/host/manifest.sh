# shellcheck shell=sh
# Sent before the scripts that write files, and part of those that stay on a host and do so. The manifest is text as sha256sum prints it: digest, two spaces, path.

STATE=/var/lib/meshctl

# record_in_manifest DIGEST PATH; DIGEST "-" forgets the path.
record_in_manifest() {
  install -d -m 0700 "$STATE" || return
  (
    if ! flock -w 10 8; then
      echo "$STATE/manifest.lock is held by another process"
      exit 1
    fi
    # What a power cut left half-written, under the lock.
    rm -f -- "$STATE"/.manifest.??????
    next=$(mktemp "$STATE/.manifest.XXXXXX") || exit
    trap 'rm -f -- "$next"' EXIT
    if [ -e "$STATE/manifest" ]; then
      # A full disk must not leave half a manifest: our own files would look like somebody else's.
      while read -r known_digest known_path; do
        [ "$known_path" = "$2" ] || printf '%s  %s\n' "$known_digest" "$known_path" || exit
      done <"$STATE/manifest" >"$next"
    fi
    [ "$1" = "-" ] || printf '%s  %s\n' "$1" "$2" >>"$next" || exit
    sync "$next" && mv -fT "$next" "$STATE/manifest" && sync "$STATE"
  ) 8>"$STATE/manifest.lock"
}

# remove_file PATH: gone for good, also after a power cut, so that the manifest may forget it.
remove_file() {
  if [ -n "${keeper-}" ]; then
    as_keeper rm -f -- "$1"
    if [ ! -e "$1" ] && [ ! -L "$1" ]; then return; fi
    echo "$1 could not be removed as the user with the id ${keeper%:*}"
    return 1
  fi
  rm -f -- "$1" || return
  [ ! -d "${1%/*}/" ] || sync "${1%/*}/"
}

# sync_folders PATH: the folders on the way to PATH, from $STATE on, may all be new.
sync_folders() {
  folder=$1
  set --
  while [ "$folder" != "$STATE" ]; do
    folder=${folder%/*}
    set -- "$@" "$folder"
  done
  sync "$@"
}

# manifest_digest PATH: what the manifest says of it, "-" when nothing.
manifest_digest() {
  found_digest=-
  if [ -e "$STATE/manifest" ]; then
    while read -r known_digest known_path; do
      [ "$known_path" != "$1" ] || found_digest=$known_digest
    done <"$STATE/manifest"
  fi
  printf '%s\n' "$found_digest"
}

# digest_of PATH: sha256, "-" when there is no such file. Behind keeper.sh: of a keeper's no link is followed.
digest_of() {
  if [ -n "${keeper-}" ]; then
    kept_digest "$1"
  elif [ -e "$1" ]; then
    found_sum=$(sha256sum <"$1") && printf '%s\n' "${found_sum%% *}"
  else
    echo -
  fi
}

# kept_digest PATH: as digest_of, as the keeper. A link counts for no file: it is replaced as one.
kept_digest() {
  if [ -L "$1" ] || [ ! -e "$1" ]; then
    echo -
  elif as_keeper test -f "$1" && found_sum=$(as_keeper sha256sum -- "$1"); then
    printf '%s\n' "${found_sum%% *}"
  else
    echo "$1 cannot be read by the user who decides about its directory (uid ${keeper%:*}), or is no file" >&2
    return 1
  fi
}

# copy_of PATH COPY: what PATH leads to, with its mode and owner.
copy_of() {
  if [ -z "${keeper-}" ]; then
    cp -pL -- "$1" "$2"
    return
  fi
  as_keeper head -c 67108864 -- "$1" >"$2" && copy_stat=$(as_keeper stat -c '%u:%g %a' -- "$1") &&
    chown -- "${copy_stat% *}" "$2" && chmod -- "${copy_stat#* }" "$2" && chmod a-s -- "$2"
}

# keep_for_run RUN STEP PATH DIGEST: to be called before a file gets the content of DIGEST ("-": is removed). Copies
# what is there now into the run's folder, once a run, and adds a line to the run's list:
#   STEP DIGEST-NOW DIGEST-BEFORE DIGEST-IN-THE-MANIFEST-BEFORE PATH
# The first line of a path tells what was there before the run, the last one what the run put there.
keep_for_run() {
  kept="$STATE/runs/$1"
  install -d -m 0700 "$STATE" "$STATE/runs" "$kept" || return
  [ -e "$kept/files" ] || prune_runs "$1"
  kept_before=$(digest_of "$3") && kept_manifest=$(manifest_digest "$3") || return
  if [ "$kept_before" != - ] && [ ! -e "$kept/before$3" ] && ! is_listed "$3"; then
    # Renamed when complete: half a copy must not pass for what was there.
    if ! { mkdir -p -- "$kept/before${3%/*}/" && copy_of "$3" "$kept/copy" && sync "$kept/copy" &&
      mv -fT -- "$kept/copy" "$kept/before$3" && sync_folders "$kept/before$3"; }; then
      rm -f -- "$kept/copy"
      return 1
    fi
  fi
  list_for_run "$2 $4 $kept_before $kept_manifest $3"
}

# list_for_run LINE: adds it to the list of the run in $kept. A disk that is full leaves the list as it was.
list_for_run() {
  if ! {
    # awk ends a last line that an older meshctl could not: this one must not be glued to it.
    if [ -e "$kept/files" ]; then awk 1 "$kept/files"; fi && printf '%s\n' "$1"
  } >"$kept/files.new" || ! sync "$kept/files.new"; then
    rm -f -- "$kept/files.new"
    return 1
  fi
  mv -fT -- "$kept/files.new" "$kept/files" && sync_folders "$kept/files"
}

# listed LIST: its lines. What a full disk left of one is none: an older meshctl did not write lists anew.
listed() {
  grep -E '^[^ ]+( ([0-9a-f]{64}|-)){3} /' "$1"
}

# is_listed PATH: whether the run in $kept has a line of it already.
is_listed() {
  [ -e "$kept/files" ] || return
  while read -r _ _ _ _ known_path; do
    [ "$known_path" != "$1" ] || return 0
  done <"$kept/files"
  return 1
}

# prune_runs RUN: keeps RUN and the 20 others that changed the host last, by the host's clock: names tell the time of the
# machines that runs were typed on, which may be years off.
prune_runs() {
  runs_by_age | grep -vxF -- "$STATE/runs/$1" | tail -n +21 | while IFS= read -r pruned; do
    rm -rf -- "$pruned"
  done
}

# runs_by_age: the folder of each run, the one that changed the host last first. Only root makes names there.
runs_by_age() {
  set --
  for aged in "$STATE"/runs/[0-9]*-[0-9]*-*; do
    # The list changes with every file, the folder with few.
    if [ -e "$aged/files" ]; then
      set -- "$@" "$aged/files"
    elif [ -e "$aged" ]; then
      set -- "$@" "$aged"
    fi
  done
  [ $# -eq 0 ] || stat -c '%.9Y %n' -- "$@" | sort -rn | sed -e 's/^[^ ]* //' -e 's|/files$||'
}
