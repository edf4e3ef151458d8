# What all parts go by: how much is read, the system calls that Perl has no name for, the clock.

my $FRAME_BYTES = 1 << 20;
my $ANSWER_BYTES = 4 << 20;
my $CONTENT_BYTES = 256 << 10;
my $LONG_BYTES = 3 << 20;
my $SEARCHED_BYTES = 32 << 20;
my $DIGESTED_BYTES = 64 << 20;
my $WORKER_BYTES = 256 << 20;
my $PROGRAM_BYTES = 4 * (1 << 30);
my $PIECE_BYTES = 256 << 10;
# More than the kernel gives a program for arguments and environment.
my $PROCESS_BYTES = 8 << 20;

# Numbers of system calls that perl-base has no name for. Where they are not known, what needs them is unreadable.
my ($machine) = (POSIX::uname())[4];
my $POWER = { clock => 246, unshare => 282, mount => 21, limit => 325, space => 99, ioprio => 274 };
my $GENERIC = { clock => 113, unshare => 97, mount => 40, limit => 261, space => 43, ioprio => 31 };
# On 32 bits a few are the same everywhere, and take 64-bit numbers.
my %CALL = %{ length(pack "l!", 0) == 4 ? { clock => 403 } : {
  x86_64 => { clock => 228, unshare => 272, mount => 165, limit => 302, space => 137, ioprio => 252 },
  aarch64 => $GENERIC,
  riscv64 => $GENERIC,
  ppc64le => $POWER,
  s390x => { clock => 260, ioprio => 283 },
}->{$machine} || {} };

# Seconds since an unknown moment, in hundredths; a step of the host's clock does not move it.
sub now { return (POSIX::times())[0] / 100 }

sub call {
  my $name = shift;
  defined $CALL{$name} or die "the system calls of $machine are not known\n";
  return syscall($CALL{$name}, @_);
}

# Microseconds by one of the kernel's clocks: 0 tells the time, 1 is monotonic.
sub microseconds {
  my $time = "\0" x 16;
  call("clock", $_[0], $time) == 0 or die "clock: $!\n";
  my ($seconds, $nanoseconds) = unpack "q2", $time;
  return $seconds * 1_000_000 + int($nanoseconds / 1000);
}
