# shellcheck shell=bash disable=SC2034,SC2154
# Lists and names among many seshes, against plain tmux, for bin/bench.
#
#   bench_lists ROUNDS   prints the section; sets $exceeded higher for each limit that is exceeded

# list_row PANES LABEL LIMIT OURS THEIRS: two command lines, each run $rounds times in turn.
list_row() {
  local at
  local -a our_calls=() their_calls=()
  for ((at = 0; at < rounds; at++)); do
    our_calls+=("$4")
    their_calls+=("$5")
  done
  write_row "$2" "$3" our_calls their_calls "$1"
}

# Records of 5,000 seshes that have exited, in the server as sesh-end leaves them.
list_exited() {
  awk 'BEGIN {
    for (at = 0; at < 5000; at++)
      printf "set -s @seshbook_%08x-0000-4000-8000-000000000000 \"1,id=%08x-0000-4000-8000-000000000000,name=old-%d,made=1,state=busy,since=1700000000,by=process,gen=2,cwd=/home/me/src/project,cmd=make%%20test,created=1700000000,updated=1700000000,host=machine,exit=0 - 1700000000\"\n", \
        at, at, at
  }' >"$here/exited"
  tmux -S "$1" source-file "$here/exited"
}

bench_lists() {
  local rounds=$1 at pane full created
  # shellcheck disable=SC2059 # the row is ours
  printf "\n$row" panes 'lists and names' 'helper ms' 'tmux ms' ratio limit tmux processes '' ''

  start_server sessions
  for ((at = 1; at <= 160; at++)); do
    inside "$built/sesh-new" --session "s$at" -- cat >/dev/null
  done
  trace "$built/sesh-list" -S "$socket"
  list_row 160 'sesh-list / list-sessions' 1.0 "$(quoted "$built/sesh-list" -S "$socket")" "$(quoted "$tmux" -S "$socket" list-sessions)"

  # The same call on two servers: in one of them 5,000 seshes have exited.
  full=$socket
  beside=$server server=
  list_exited "$full"
  start_server none
  for ((at = 1; at <= 160; at++)); do
    inside "$built/sesh-new" --session "s$at" -- cat >/dev/null
  done
  trace "$built/pane-keys" -S "$full" s160 x
  list_row 160 'pane-keys NAME, 5,000 exited / none' 1.1 "$(quoted "$built/pane-keys" -S "$full" s160 x)" "$(quoted "$built/pane-keys" -S "$socket" s160 x)"
  kill "$beside"
  wait "$beside" 2>/dev/null || true
  beside=

  if [ -n "$quick" ]; then
    return
  fi
  start_server thousand
  local -a created=()
  for ((at = 1; at <= 1000; at++)); do
    created+=(-n "$at" "$(quoted env "TMUX=$socket,$server,0" "SHELL=/bin/sh" "$built/sesh-new" "s$at" -- cat)")
  done
  timed "${created[@]}"
  over 'creating 1,000 seshes: the last 100 against the first 100' "$(awk '
    { if (NR <= 100) first += $2; if (NR > 900) last += $2 }
    END { printf "%.2f", last / first }' "$here/times")" 3
  local twelve='#{pane_id} #{pane_pid} #{pane_dead} #{window_index} #{window_id} #{window_name} #{session_id} #{session_name} #{pane_current_command} #{pane_title} #{pane_width} #{pane_height}'
  trace "$built/sesh-list" -S "$socket" --json
  list_row 1000 'sesh-list --json / list-panes, 12 fields' 1.3 "$(quoted "$built/sesh-list" -S "$socket" --json)" "$(quoted "$tmux" -S "$socket" list-panes -a -F "$twelve")"
}
