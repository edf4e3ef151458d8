# File systems: what is mounted where, what tmpfiles.d does there, how much room is left, how quick it is.

sub unescaped { return $_[0] =~ s/\\([0-7]{3})/chr oct $1/ger }

# place PATH: where it really is; how many lines of fstab are about a point at or above it, and spec, point, type, options
# of each; then each mount there, in the order they were made: id, id of the one that it is mounted on, point, file system,
# source, options, root in its file system, and for each of the lines "y", "n" or "?" (not known): it is what that says.
sub read_place {
  my ($path) = @_;
  return as_keeper(checked(path => $path), sub { place_of($path) });
}

my %SAFE = map { $_ => 1 } qw(defaults auto noauto nofail bind rbind ro rw exec noexec _netdev user users);

# Undefined, with $!, when they cannot be read.
sub mounts {
  my $table = slurp("/proc/self/mountinfo", $ANSWER_BYTES) // return;
  return [map {
    my ($place, $after) = split / - /, $_, 2;
    my @word = split / /, $place;
    my ($type, $source, $super) = split / /, $after;
    [@word[0, 1], unescaped($word[4]), unescaped($word[3]), $word[2], $type, unescaped($source), "$word[5],$super"];
  } split /\n/, $table];
}

# [mounts, lines of fstab], as the user of now may read them; undefined, with $!, when he may not.
sub mounts_and_lines {
  my $mounts = mounts() // return;
  my $fstab = slurp("/etc/fstab", $CONTENT_BYTES) // ($! == ENOENT ? "" : return);
  my @lines = map {
    my ($spec, $point, $type, $options) = map { unescaped($_) } split " ";
    [$spec, ($point =~ s{(?<=.)/+\z}{}r), $type // "auto", join ",", grep { $SAFE{$_} || /\Ax-systemd\./ } split /,/, $options // "defaults"];
  } grep { /\A\s*[^#\s]\S*\s+\// } split /\n/, $fstab;
  return [$mounts, \@lines];
}

sub place_of {
  my ($real) = resolved($_[0]);
  my $known = $mounts{$>} //= mounts_and_lines() // return failed();
  my @mounts = @{$$known[0]};
  my @lines = @{$$known[1]};
  my $above = sub { $_[0] eq "/" || index("$real/", "$_[0]/") == 0 };
  my @about = grep { $above->($$_[1]) } @lines;
  my @fields = map {
    my $mount = $_;
    (@$mount[0 .. 2, 5 .. 7, 3], join "", map { $$_[1] eq $$mount[2] ? is_line($mount, $_, \@mounts) : "n" } @about);
  } grep { $above->($$_[2]) } @mounts;
  return ["value", $real, scalar @about, (map { @$_ } @about), @fields];
}

sub device_of {
  my ($spec) = @_;
  return $spec =~ /\A(?:UUID|LABEL|PARTUUID|PARTLABEL)=(.*)/i ? "/dev/disk/by-" . lc((split /=/, $spec)[0]) . "/" . ($1 =~ s/["']//gr =~ s/([^\w#+.:=@\x80-\xff-])/sprintf "\\x%02x", ord $1/ger) : $spec;
}

# Whether a mount is what a line of fstab says: "?" where that is not known.
sub is_line {
  my ($mount, $line, $mounts) = @_;
  my (undef, undef, $point, $root, $device, $type, $source) = @$mount;
  my ($spec, undef, $wanted, $options) = @$line;
  if ($options =~ /\br?bind\b/) {
    # What is bound may itself be on any mount.
    my ($on) = sort { length $$b[2] <=> length $$a[2] } grep { $$_[2] ne $point && ($$_[2] eq "/" || index("$spec/", "$$_[2]/") == 0) } @$mounts;
    my $from = $on ? (($$on[3] eq "/" ? "" : $$on[3]) . substr $spec, $$on[2] eq "/" ? 0 : length $$on[2]) : $spec;
    return $from =~ s{(?<=.)/+\z}{}r eq $root && (!$on || $$on[4] eq $device) ? "y" : "n";
  }
  my $path = device_of($spec);
  return $spec eq $source || $type eq $wanted && $source !~ m{/} ? "y" : "n" if $path !~ m{\A/dev/};
  my @stat = stat $path or return "?";
  my $major = ($stat[6] >> 8) & 0xfff;
  my $minor = ($stat[6] & 0xff) | (($stat[6] >> 12) & 0xfff00);
  return "$major:$minor" eq $device || (resolved($path))[0] eq (resolved($source))[0] ? "y" : "n";
}

# Lines of tmpfiles.d: [file, number, text, the file that is read instead of this one, or "", its words...].
sub tmpfiles {
  return @{$tmpfiles{lines} ||= do {
    my (%read, @lines);
    for my $directory (map { "$_/tmpfiles.d" } qw(/etc /run /usr/local/lib /usr/lib)) {
      for my $name (sort(names($directory, qr/\.conf\z/))) {
        my $file = "$directory/$name";
        my $instead = $read{$name} // "";
        $read{$name} //= $file;
        push @lines, map { [$file, @$_, $instead, split " ", $$_[1]] } said_in(whole($file));
      }
    }
    \@lines;
  }};
}

# made PATH: lines of tmpfiles.d about it: file, line, type, and the file that is read instead of this one, or "".
sub read_made {
  my ($path) = @_;
  my @found;
  for (tmpfiles()) {
    my ($file, $number, $text, $instead) = @$_;
    my ($type, $about) = $text =~ /\A\s*([A-Za-z][-+!=~^\$]*)\s+"?([^\s"]+)/ or next;
    push @found, $file, $number, $type, $instead if $about =~ s{\A(?:%t|/var/run)(?=/)}{/run}r =~ s{/+\z}{}r eq $path;
  }
  return ["value", @found];
}

# cleans PATH: lines of tmpfiles.d that delete or alter it, something above or something in it, at boot or by age: file, line, text.
sub read_cleans {
  my ($path) = @_;
  my @lines = grep { $$_[3] eq "" } tmpfiles();
  # What an "x" line names is not cleaned by age.
  my $is_kept = grep { ($$_[4] // "") =~ /\Ax/ && index("$path/", ($$_[5] // "") =~ s{\A"|/*"?\z}{}gr . "/") == 0 } @lines;
  my @found;
  for (@lines) {
    my ($type, $about, $age) = @$_[4, 5, 9];
    next if !defined $about || $type !~ /\A(?:[rRDFwzZ]|[fLCp]\+)/ && ($is_kept || $type !~ /\A[dveqQC]/ || ($age // "-") =~ /\A(?:-|)\z/);
    my $what = $about =~ s/\A"|"\z//gr =~ s{\A/var/run(?=/)}{/run}r =~ s{(?<=.)/+\z}{}r;
    my $pattern = join "", map { $_ eq "*" ? "[^/]*" : $_ eq "?" ? "[^/]" : quotemeta } split //, $what;
    my ($plain) = $what =~ m{\A((?:/[^/*?\[%]+)*)};
    push @found, @$_[0 .. 2] if index("$what/", "$path/") == 0 || ($type !~ /\A[rFwzfLCp]/ && $plain ne "" && "$path/" =~ m{\A$pattern/});
  }
  return ["value", @found];
}

# mount PATH: device, mount point, file system, source, options, of the mount that the path is on.
sub read_mount {
  my ($path) = @_;
  return as_keeper(checked(path => $path), sub { mounted_at($path) });
}

sub mounted_at {
  my ($real) = resolved($_[0]);
  my $best;
  my $mounts = mounts() // return failed();
  for (@$mounts) {
    my $point = $$_[2];
    $best = $_ if ($point eq "/" || index("$real/", "$point/") == 0) && (!$best || length $point >= length $$best[2]);
  }
  return $best ? ["value", @$best[4, 2, 5 .. 7]] : ["absent"];
}

# space PATH: block size, blocks that a user may still take, inodes (0 when their number is not fixed), free inodes.
sub read_space {
  my $path = checked(path => $_[0]);
  my $found = "\0" x 256;
  call("space", $path, $found) == 0 or return failed();
  my (undef, undef, undef, undef, $blocks, $inodes, $free, undef, undef, $size) = unpack "q2 Q5 q3", $found;
  return ["value", $size, $blocks, $inodes, $free];
}

# flush DIRECTORY: microseconds of each of up to ten writes that are on the disk when they return. The file never has a name
# (O_TMPFILE, the same number on all but alpha, parisc and sparc): it is gone with the worker however that ends.
sub flush {
  my $unnamed = 020000000 | O_DIRECTORY;
  sysopen(my $file, checked(path => $_[0]), $unnamed | O_RDWR | O_DSYNC, 0600) or return ["unreadable", "$!"];
  my ($end, @times) = (now() + 2);
  # A slow disk has told enough.
  while (@times < 10 && (!@times || now() < $end)) {
    my $start = microseconds(1);
    defined syswrite($file, "0" x 512) or return ["unreadable", "$!"];
    push @times, microseconds(1) - $start;
  }
  return ["value", @times];
}
