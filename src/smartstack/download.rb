# download.rb NAME VERSION DIRECTORY: RubyGems' own downloader, for the .gem file alone. `gem fetch` reads the registry's
# whole index first, and `gem install` would compile before a checksum could be compared.
require "rubygems"
require "rubygems/remote_fetcher"

name, version, directory = ARGV
gem = Gem::Specification.new(name, version)
begin
  Gem::RemoteFetcher.fetcher.download(gem, Gem.sources.first.uri.to_s, directory)
rescue StandardError => error
  abort "#{gem.file_name}: #{error.message}"
end
