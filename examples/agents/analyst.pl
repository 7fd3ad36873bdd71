#!/usr/bin/perl
# Log analyst: answers questions about a log file. Plain text in, plain text out.
#
#   summary of FILE          errors in FILE           busiest minutes in FILE
#   top messages in FILE     grep WORD in FILE        FILE
#
# Try it by hand:  echo 'errors in /var/log/dpkg.log' | ./analyst.pl
use strict;
use warnings;

my $question = do { local $/; <STDIN> } // '';
$question =~ s/^\s+|\s+$//g;
my ($wish, $file) = $question =~ /^(.*?)\s+(?:in|of)\s+(\S.*)$/s ? (lc $1, $2) : ('summary', $question);
my ($word) = $question =~ /^grep\s+(.+?)\s+in\s+/is ? $1 : undef;

die "Say which file, for instance: errors in /var/log/dpkg.log\n" if $file eq '';
die "$file: no such file\n" unless -e $file;
die "$file: that is a folder; give a log file\n" if -d $file;
open(my $log, '<:raw', $file) or die "$file: $!\n";

my $level = qr/\b(FATAL|CRITICAL|ERROR|ERR|WARNING|WARN|INFO|NOTICE|DEBUG|TRACE)\b/i;
my $time = qr/(\d{4}-\d\d-\d\d[T ]\d\d:\d\d)|([A-Z][a-z]{2}\s+\d+\s\d\d:\d\d)|(\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d)/;
my %same = (ERR => 'ERROR', WARN => 'WARNING');
my (%levels, %minutes, %messages, @found, $first, $last);
my ($lines, $hits) = (0, 0);

while (my $line = <$log>) {
    $lines++;
    chomp $line;
    if ($line =~ $time) {
        my $minute = $1 // $2 // $3;
        $first //= $minute;
        $last = $minute;
        $minutes{$minute}++;
    }
    my $severity = $line =~ $level ? uc $1 : '';
    $severity = $same{$severity} // $severity;
    $levels{$severity}++ if $severity;
    my $wanted = defined $word ? index(lc $line, lc $word) >= 0 : $severity =~ /^(?:ERROR|FATAL|CRITICAL)$/;
    if ($wanted) {
        $hits++;
        push @found, sprintf('%7d  %s', $lines, substr($line, 0, 300)) if @found < 20;
    }
    next if keys %messages > 50_000;
    # The same message with other times, numbers and addresses is the same message.
    (my $message = $line) =~ s/$time\S*//g;
    $message =~ s/0x[0-9a-f]+|\b[0-9a-f]{8,}\b|\d+/#/gi;
    $message =~ s/^\s+|\s+$//g;
    $messages{substr($message, 0, 160)}++ if $message ne '';
}
close $log;

sub top {
    my ($counts, $n) = @_;
    my @keys = sort { $counts->{$b} <=> $counts->{$a} || $a cmp $b } keys %$counts;
    splice @keys, $n if @keys > $n;
    return join '', map { sprintf("%8d  %s\n", $counts->{$_}, $_) } @keys;
}

if (defined $word) {
    print "$hits of $lines lines hold \"$word\"", ($hits > @found ? '; the first ' . @found : ''), ":\n", map { "$_\n" } @found;
} elsif ($wish =~ /error|problem|fail/) {
    print "$hits of $lines lines are errors", ($hits > @found ? '; the first ' . @found : ''), ":\n", map { "$_\n" } @found;
} elsif ($wish =~ /busi|minute|when/) {
    print %minutes ? "Busiest minutes (lines):\n" . top(\%minutes, 10) : "No line has a time that I know.\n";
} elsif ($wish =~ /top|message|common|frequent/) {
    print "Most frequent messages (numbers as #):\n", top(\%messages, 10);
} else {
    print "$file: $lines lines";
    print ", from $first to $last" if defined $first;
    print ".\n";
    print "\nLevels:\n", top(\%levels, 8) if %levels;
    print "\nBusiest minutes:\n", top(\%minutes, 3) if %minutes;
    print "\nMost frequent messages (numbers as #):\n", top(\%messages, 5) if %messages;
}
