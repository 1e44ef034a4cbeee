# shellcheck shell=bash disable=SC2154
# What changes something, against the same by plain tmux, for bin/bench.
#
#   bench_writes ROUNDS   prints the section; sets $exceeded higher for each limit that is exceeded

# write_row LABEL LIMIT OURS THEIRS [PANES]: a row of lines that alternate; OURS and THEIRS are arrays of command lines.
write_row() {
  local label=$1 limit=$2 panes=${5:-160} verdict at
  local -n ours_lines=$3 theirs_lines=$4
  local -a all=()
  for ((at = 0; at < ${#ours_lines[@]}; at++)); do
    if [ $((at % 2)) -eq 0 ]; then
      all+=(-n 0 "${ours_lines[at]}" -n 1 "${theirs_lines[at]}")
    else
      all+=(-n 1 "${theirs_lines[at]}" -n 0 "${ours_lines[at]}")
    fi
  done
  timed "${all[@]}"
  read -r ours theirs ratio <<<"$(medians 2)"
  verdict="$limit ok"
  if awk -v ratio="$ratio" -v limit="$limit" 'BEGIN { exit !(ratio > limit) }'; then
    verdict="$limit OVER"
    exceeded=$((exceeded + 1))
  fi
  # shellcheck disable=SC2059 # the row is ours
  printf "$row" "$panes" "$label" "$ours" "$theirs" "$ratio" "$verdict" "$tmuxes" "$processes" '' ''
}

# The whole job as a script: creates ten, which work, waits for all, gathers what they printed, and ends them.
write_jobs() {
  cat >"$here/ours.sh" <<END
for at in 1 2 3 4 5 6 7 8 9 10; do
  '$built/sesh-new' --tag job "job-\$at" -- sh -c "echo result \$at" >/dev/null
done
'$built/sesh-wait' --tag job --all --for exit >/dev/null
'$built/sesh-gather' --tag job --forget
END
  # A window says that its work is done by a signal, and stays until it is read.
  cat >"$here/theirs.sh" <<END
tmux set-option -g remain-on-exit on
for at in 1 2 3 4 5 6 7 8 9 10; do
  tmux new-window -d -n "job-\$at" "echo result \$at; tmux wait-for -S job-\$at"
done
for at in 1 2 3 4 5 6 7 8 9 10; do
  tmux wait-for "job-\$at"
done
for at in 1 2 3 4 5 6 7 8 9 10; do
  tmux capture-pane -p -t "=bench:=job-\$at"
done
for at in 1 2 3 4 5 6 7 8 9 10; do
  tmux kill-window -t "=bench:=job-\$at"
done
END
}

bench_writes() {
  local rounds=$1 at pane
  command -v script >/dev/null || { echo 'writes are not measured: there is no script(1)' >&2; return; }
  start_server writes
  for ((at = 1; at <= 160; at++)); do
    inside "$built/sesh-new" "s$at" -- cat >/dev/null
  done
  pane=$(tmux -S "$socket" list-panes -a -f '#{==:#{@sesh_name},s160}' -F '#{pane_id}')
  # shellcheck disable=SC2059 # the row is ours
  printf "\n$row" panes 'what changes something' 'helper ms' 'tmux ms' ratio limit tmux processes '' ''
  local -a our_calls=() their_calls=()
  local around=(env "TMUX=$socket,$server,0")

  for ((at = 0; at < rounds; at++)); do
    our_calls+=("$(quoted "$built/pane-keys" -S "$socket" "$pane" x)")
    their_calls+=("$(quoted "$tmux" -S "$socket" send-keys -t "$pane" x)")
  done
  trace "$built/pane-keys" -S "$socket" "$pane" x
  write_row 'pane-keys %N / send-keys' 0.95 our_calls their_calls
  our_calls=()
  for ((at = 0; at < rounds; at++)); do
    our_calls+=("$(quoted "$built/pane-keys" -S "$socket" s160 x)")
  done
  trace "$built/pane-keys" -S "$socket" s160 x
  write_row 'pane-keys NAME / send-keys' 1.4 our_calls their_calls

  our_calls=() their_calls=()
  for ((at = 0; at < rounds; at++)); do
    our_calls+=("$(quoted "${around[@]}" "$built/sesh-new" "new-$at" -- cat)")
    their_calls+=("$(quoted "${around[@]}" "$tmux" new-window -d -n "new-$at" cat)")
  done
  trace "${around[@]}" "$built/sesh-new" traced -- cat
  write_row 'sesh-new / new-window' 1.5 our_calls their_calls

  mkfifo "$here/silence"
  sleep 1000000 >"$here/silence" & # why: what holds the clients' input open
  local silence=$!
  clients 4 || return
  our_calls=() their_calls=()
  for ((at = 0; at < rounds; at++)); do
    # An equal value would not be written.
    our_calls+=("$(quoted "$built/sesh-set" -S "$socket" s160 --note "note $at")")
    their_calls+=("$(quoted "$tmux" -S "$socket" set-option -p -t "$pane" @note "note $at")")
  done
  trace "$built/sesh-set" -S "$socket" s160 --note traced
  write_row 'sesh-set NAME / set-option' 3.0 our_calls their_calls
  kill "${client_pids[@]}" "$silence" 2>/dev/null || true
  wait "${client_pids[@]}" "$silence" 2>/dev/null || true
  rm "$here/silence"

  start_server jobs
  write_jobs
  around=(env "TMUX=$socket,$server,0" "SHELL=/bin/sh")
  our_calls=() their_calls=()
  for ((at = 0; at < (rounds + 2) / 3; at++)); do
    our_calls+=("$(quoted "${around[@]}" sh "$here/ours.sh")")
    their_calls+=("$(quoted "${around[@]}" sh "$here/theirs.sh")")
  done
  trace "${around[@]}" sh "$here/ours.sh"
  write_row 'create 10, work, wait, gather' 1.1 our_calls their_calls
}
