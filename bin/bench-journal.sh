# shellcheck shell=bash disable=SC2154
# What a large journal costs, for bin/bench.
#
#   bench_journal ROUNDS   prints the section; sets $exceeded higher when a limit is
#
# The journal has 50,000 exited seshes of earlier servers, merged as a compaction leaves them. "Reading the file" is one
# process that reads the whole file into memory and searches it for a word that only the last line contains: perl, whose
# index() runs through the bytes as memmem does. grep, which searches one small block after the other as the helpers do,
# takes half of that. What a live sesh costs is compared with a second server, whose journal has its own seshes alone.
# Acts are done in turn, and a ratio is the median of the ratios of neighbours.

journal_records=50000

# write_old_seshes FILE: as they stand in a file after their servers ended.
write_old_seshes() {
  awk -v count="$journal_records" -v tail="$(printf 'a line of its last words%%0A%.0s' 1 2 3 4 5 6 7 8)" 'BEGIN {
    for (i = 0; i < count; i++)
      printf "{\"schema\":1,\"uuid\":\"%08x-0000-4000-8000-000000000000\",\"event\":\"ended\",\"at\":%d,\"server\":{\"pid\":1,\"start\":1},\"spot\":{\"session\":\"work\",\"window\":%d,\"name\":\"old-%d\"},\"values\":{\"name\":\"old-%d\",\"tags\":\" ci nightly \",\"agent\":\"claude\",\"conv\":\"3f2c8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f\",\"made\":\"1\",\"state\":\"exited\",\"since\":\"1700000000\",\"by\":\"process\",\"cwd\":\"/home/me/src/project\",\"cmd\":\"claude --continue\",\"created\":\"%d\",\"updated\":\"1700000000\",\"host\":\"machine\",\"exit\":\"0 - 1700000000\",\"archived\":\"1\",\"note\":\"what it was about\"},\"tail\":\"%s\"}\n", \
        i, 1700000000 + i, i, i, i, 1700000000 + i, tail
  }' >>"$1"
}

# journal_row LABEL LIMIT: the medians of lines 0 and 1, and their ratio; LIMIT is a number or `none`.
journal_row() {
  local verdict=$2
  read -r ours theirs ratio <<<"$(medians 2)"
  if [ "$verdict" != none ]; then
    verdict="$2 ok"
    if awk -v ratio="$ratio" -v limit="$2" 'BEGIN { exit !(ratio > limit) }'; then
      verdict="$2 OVER"
      exceeded=$((exceeded + 1))
    fi
  fi
  # shellcheck disable=SC2059 # the row is ours
  printf "$journal_line" "$1" "$ours" "$theirs" "$ratio" "$verdict"
}

bench_journal() {
  local rounds=$1 file reading old new round limit words
  local journal_line='%-44s %9s %9s %6s  %s\n' last=old-$((journal_records - 1))
  local -a acts=()
  need perl || return 0
  start_server small
  inside "$built/sesh-new" one -- cat >/dev/null
  new=$socket
  beside=$server
  server=
  start_server journal
  inside "$built/sesh-new" one -- cat >/dev/null
  old=$socket
  file=$("$built/sesh-save" -S "$old" --json | sed 's/.*"file":"\([^"]*\)".*/\1/')
  write_old_seshes "$file"
  # Merges them, so that the writes that are measured do not.
  "$built/sesh-save" -S "$old"
  # shellcheck disable=SC2016 # the variables are perl's
  reading=$(quoted perl -e 'open my $file, "<", $ARGV[0] or die; sysread $file, my $text, -s $file; exit(index($text, $ARGV[1]) < 0)' \
    "$file" "\"$last\"")

  # shellcheck disable=SC2059
  printf "\n$journal_line" "a journal of $journal_records seshes" 'helper ms' 'reading' ratio limit
  while read -r limit words; do
    # shellcheck disable=SC2086 # words
    set -- $words
    in_turn "$rounds" "$(quoted "$built/$1" -S "$old" "${@:2}")" "$reading"
    journal_row "$words" "$limit"
  done <<END
10 sesh-list --all
none sesh-list --all --json
none sesh-list --all $last
none sesh-list $last
none sesh-wait $last --for exit --timeout 0s
none sesh-gather $last
none pane-capture $last
none sesh-save
none sesh-restore --offer
none sesh-list
END
  for ((round = 0; round <= rounds; round++)); do
    acts+=(-n 0 "$(quoted "$built/sesh-set" -S "$old" "$last" --note "n$round")" -n 1 "$reading")
  done
  timed "${acts[@]}"
  journal_row "sesh-set $last --note" 2

  # shellcheck disable=SC2059
  printf "\n$journal_line" 'a live sesh' "$journal_records" 'none' ratio limit
  acts=()
  for ((round = 0; round <= rounds; round++)); do
    acts+=(-n 0 "$(quoted "$built/sesh-set" -S "$old" one --note "n$round")")
    acts+=(-n 1 "$(quoted "$built/sesh-set" -S "$new" one --note "n$round")")
  done
  timed "${acts[@]}"
  journal_row 'sesh-set --note' 1.2
  acts=()
  for ((round = 0; round <= rounds; round++)); do
    acts+=(-n 0 "$(quoted env "TMUX=$old,$server,0" "$built/sesh-new" "m$round" -- cat)")
    acts+=(-n 1 "$(quoted env "TMUX=$new,$beside,0" "$built/sesh-new" "m$round" -- cat)")
  done
  timed "${acts[@]}"
  journal_row 'sesh-new' none
  kill "$beside"
  wait "$beside" 2>/dev/null || true
  beside=
}
