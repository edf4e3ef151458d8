# shellcheck shell=sh
# build.sh OUTPUT RUBY NAME:VERSION:SHA256...: downloads the gems, compares their checksums, builds them and writes
# what is needed to run them, as a tar, to OUTPUT. File descriptor 3 holds the proxy's URL on its first line (may be
# empty) and CA certificates behind it. Nothing that came from the network runs as root.

# RubyGems' own downloader, for the .gem file alone: `gem fetch` reads the registry's whole index first, and
# `gem install` would compile before a checksum could be compared.
DOWNLOAD='
require "rubygems"
require "rubygems/remote_fetcher"
gem = Gem::Specification.new(ARGV[0], ARGV[1])
Gem::RemoteFetcher.fetcher.download(gem, Gem.sources.first.uri.to_s, ARGV[2])
'

main() {
  output=$1 ruby=$2
  shift 2
  umask 022
  IFS= read -r proxy <&3
  # What a power cut left half-built: one build at a time runs here.
  rm -rf -- /var/tmp/meshctl-build.??????
  work=$(mktemp -d /var/tmp/meshctl-build.XXXXXX) || exit
  trap 'rm -rf -- "$work"' EXIT
  trap 'exit 143' TERM INT HUP
  cat <&3 >"$work/own-certificates"
  exec 3<&-
  found=$(basename "$(readlink -f /usr/bin/ruby)")
  if [ "$found" != "$ruby" ]; then
    echo "the gems are to be built for $ruby and this host has ${found:-no ruby}: name a build_host of the same release"
    exit 1
  fi
  install -d -m 0755 -o nobody -g nogroup "$work/home" "$work/gems" || exit
  chmod 0755 "$work"
  if [ -s "$work/own-certificates" ]; then
    cat /etc/ssl/certs/ca-certificates.crt "$work/own-certificates" >"$work/certificates" || exit
  fi
  for gem in "$@"; do
    download "$gem" || exit
  done
  for gem in "$@"; do
    compile "$gem" || exit
  done
  pack "$@"
}

# unprivileged COMMAND...
unprivileged() {
  HOME="$work/home" setpriv --reuid=nobody --regid=nogroup --clear-groups --no-new-privs -- "$@" </dev/null
}

# download NAME:VERSION:SHA256
download() {
  split "$1"
  (
    # By environment, not by argument: the URL may hold a password, and arguments are everybody's to read.
    if [ -n "$proxy" ]; then
      export http_proxy="$proxy" https_proxy="$proxy"
    fi
    if [ -s "$work/certificates" ]; then
      export SSL_CERT_FILE="$work/certificates"
    fi
    for attempt in 1 2 3; do
      unprivileged ruby -e "$DOWNLOAD" "$name" "$version" "$work/gems" && exit 0
      [ "$attempt" = 3 ] || sleep 2
    done
    exit 1
  ) || return
  sum=$(sha256sum <"$work/gems/cache/$name-$version.gem") || return
  if [ "${sum%% *}" != "$sha256" ]; then
    echo "$name-$version.gem has the sha256 ${sum%% *} and not $sha256: it is not the gem that was locked, nothing was built"
    return 1
  fi
}

# compile NAME:VERSION:SHA256
compile() {
  split "$1"
  unprivileged gem install --local --install-dir "$work/gems" --ignore-dependencies --no-document \
    "$work/gems/cache/$name-$version.gem"
}

# What runs: libraries, Synapse's program and zookeeper's Ruby files, with the sum of each file.
pack() {
  mkdir "$work/tree" || return
  for gem in "$@"; do
    split "$gem"
    printf '%s %s %s\n' "$name" "$version" "$sha256" >>"$work/tree/gems.lock"
    built="gems/$name-$version"
    mkdir -p "$work/tree/$built" && cp -R "$work/gems/$built/lib" "$work/tree/$built/" || return
    case $name in
      synapse) cp -R "$work/gems/$built/bin" "$work/tree/$built/" || return ;;
      zookeeper)
        mkdir "$work/tree/$built/ext" && cp "$work/gems/$built/ext/"*.rb "$work/tree/$built/ext/" || return
        ;;
    esac
  done
  chmod -R u=rwX,go=rX "$work/tree" &&
    (cd "$work/tree" && find gems gems.lock -type f | LC_ALL=C sort | xargs sha256sum >SHA256SUMS) &&
    mkdir -p -- "$(dirname "$output")" &&
    tar -C "$work/tree" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --format=ustar \
      -cf "$work/tree.tar" gems gems.lock SHA256SUMS &&
    gzip -9n <"$work/tree.tar" >"$output"
}

# split NAME:VERSION:SHA256 into the three
split() {
  name=${1%%:*}
  sha256=${1##*:}
  version=${1#*:}
  version=${version%:*}
}

main "$@"
