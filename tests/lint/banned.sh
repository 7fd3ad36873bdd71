#!/bin/sh
# Calls that the house does not make: unbounded copies, unchecked numbers, shells, memory past base/mem.h, cJSON.
set -eu
cd "$(dirname "$0")/../.."

# Prints "file:line: call" for each banned call; comments and string literals do not count.
scan() {
    perl -e '
        my $anywhere = qr/\b(strcpy|strcat|sprintf|vsprintf|strtok|strtok_r|atoi|atol|atoll|atof|gets|system|popen|alloca)\s*\(/;
        my $memory = qr/\b(malloc|calloc|realloc|reallocarray|strdup|strndup)\s*\(/;
        my $bad = 0;
        for my $path (@ARGV) {
            open my $file, "<", $path or die "$path: $!";
            local $/;
            my $text = <$file>;
            $text =~ s{(/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*")}{ my $t = $1; $t =~ s/[^\n]/ /g; $t }gse;
            my $number = 0;
            for my $line (split /\n/, $text) {
                $number++;
                my @calls;
                push @calls, $1 while $line =~ /$anywhere/g;
                if ($path !~ m{(^|/)base/mem\.c$}) { push @calls, $1 while $line =~ /$memory/g; }
                push @calls, "cJSON" if $line =~ /\bcJSON/;
                for my $call (@calls) { print "$path:$number: $call is not used here\n"; $bad = 1; }
            }
        }
        exit $bad;
    ' "$@"
}

# The script checks itself first.
sample=$(mktemp -d)
trap 'rm -rf "$sample"' EXIT
for call in 'strcpy(a, b)' 'sprintf (a, b)' 'malloc(1)' 'system("ls")' 'cJSON_Parse(x)' 'atoi(x)'; do
    printf 'int x = %s;\n' "$call" > "$sample/bad.c"
    if scan "$sample/bad.c" > /dev/null; then
        echo "banned.sh: its own sample is not found: $call"
        exit 1
    fi
done
printf '/* malloc(1) */ int my_system(int); const char *s = "gets(x)"; // atoi(x)\nint y = snprintf(a, 1, b);\n' > "$sample/good.c"
if ! scan "$sample/good.c"; then
    echo 'banned.sh: its own good sample is refused'
    exit 1
fi

find bridge include -name '*.[ch]' -print0 | sort -z > "$sample/list"
xargs -0 -r perl -e 'print "$_\n" for @ARGV' < "$sample/list" > "$sample/names"
set --
while IFS= read -r name; do set -- "$@" "$name"; done < "$sample/names"
[ $# -eq 0 ] || scan "$@"
