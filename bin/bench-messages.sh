# shellcheck shell=bash disable=SC2154
# What waiting and sending cost, for bin/bench: beside tmux's own wait-for, and a text that tmux pastes without proof.
#
#   messages ROUNDS   prints the section; sets $exceeded higher when a limit is

# median FILE: of numbers, a line each.
median() {
  sort -g "$1" | awk '{ all[NR] = $1 } END { printf "%.1f", NR ? all[int((NR + 1) / 2)] : 0 }'
}

# since FROM TO: milliseconds between two values of $EPOCHREALTIME.
since() {
  awk -v from="$1" -v to="$2" 'BEGIN { printf "%.2f\n", (to - from) * 1000 }'
}

# until_there FILE
until_there() {
  until [ -s "$1" ]; do
    sleep 0.005 # why: a file that another process writes has no event here
  done
}

# From the end of what tells an event to the return of whoever waits for it.
wait_latency() {
  local rounds=$1 round mode
  mkfifo "$here/orders"
  printf '%s\n' "while read -r words <$here/orders; do $built/sesh-report \$words; echo \$EPOCHREALTIME >$here/told.new; mv $here/told.new $here/told; done" >"$here/teller"
  inside "$built/sesh-new" teller -- bash "$here/teller" >/dev/null
  : >"$here/ours"
  : >"$here/theirs"
  for ((round = 0; round < rounds; round++)); do
    rm -f "$here/told" "$here/back"
    (
      tmux -S "$socket" wait-for "bench-$round"
      echo "$EPOCHREALTIME" >"$here/back"
    ) &
    sleep 0.1 # why: that a waiter has its place nobody can ask tmux
    tmux -S "$socket" wait-for -S "bench-$round"
    mode=$EPOCHREALTIME
    wait $!
    since "$mode" "$(cat "$here/back")" >>"$here/theirs"
    mode=$([ $((round % 2)) -eq 0 ] && echo idle || echo busy)
    rm -f "$here/back"
    (
      inside "$built/sesh-wait" teller --for change --fresh --timeout 5s >/dev/null
      echo "$EPOCHREALTIME" >"$here/back"
    ) &
    sleep 0.2 # why: as above
    echo "--state $mode" >"$here/orders"
    wait $!
    until_there "$here/told"
    since "$(cat "$here/told")" "$(cat "$here/back")" >>"$here/ours"
  done
  over "a state's event behind the end of its report, in ms over tmux wait-for (median of $rounds)" \
    "$(awk -v ours="$(median "$here/ours")" -v theirs="$(median "$here/theirs")" 'BEGIN { printf "%.1f", ours - theirs }')" 5
}

# ticks PID...: their CPU so far, in clock ticks.
ticks() {
  local pid
  for pid; do
    cat "/proc/$pid/stat" 2>/dev/null || true
  done | awk '{ sub(/.*[)] /, ""); sum += $12 + $13 } END { print sum + 0 }'
}

hundred_waiters() {
  local waiters=() before after at
  for ((at = 0; at < 100; at++)); do
    inside "$built/sesh-wait" teller --for exit >/dev/null 2>&1 &
    waiters+=($!)
  done
  sleep 3 # why: until all have their place
  before=$(ticks "$server" "${waiters[@]}")
  sleep 10 # why: nothing happens for so long
  after=$(ticks "$server" "${waiters[@]}")
  over '100 waiters while nothing happens, percent of a processor with the server' \
    "$(awk -v ticks=$((after - before)) -v second="$(getconf CLK_TCK)" 'BEGIN { printf "%.2f", ticks * 10 / second }')" 2
  kill "${waiters[@]}" 2>/dev/null || true
  wait "${waiters[@]}" 2>/dev/null || true
}

# flood: how long a pane takes to print a million lines, in ms.
flood() {
  local begun
  rm -f "$here/flooded"
  begun=$EPOCHREALTIME
  inside "$built/sesh-new" "flood-$1" -S "$socket" -- bash -c "sleep 0.3; seq 1000000; echo \$EPOCHREALTIME >$here/flooded; exec sleep 60" >/dev/null # why: time for the watcher to begin; then the pane is held
  if [ "$2" = watched ]; then
    inside "$built/sesh-wait" "flood-$1" --for quiet=30s >/dev/null 2>&1 &
    watcher=$!
  fi
  until_there "$here/flooded"
  since "$begun" "$(cat "$here/flooded")"
  if [ "$2" = watched ]; then
    kill "$watcher" 2>/dev/null || true
    wait "$watcher" 2>/dev/null || true
  fi
  inside "$built/sesh-end" "flood-$1" -S "$socket" --forget >/dev/null
}

flooding() {
  local round
  : >"$here/alone"
  : >"$here/watched"
  for ((round = 0; round < 5; round++)); do
    flood "a$round" alone >>"$here/alone"
    flood "w$round" watched >>"$here/watched"
  done
  over 'a million lines while somebody waits for quiet, times without (medians of 5)' \
    "$(awk -v watched="$(median "$here/watched")" -v alone="$(median "$here/alone")" 'BEGIN { printf "%.3f", watched / alone }')" 1.05
}

sending() {
  local rounds=$1 round pane begun
  pane=$(tmux -S "$socket" new-window -d -P -F '#{pane_id}' -t bench: 'exec sh -i')
  : >"$here/ours"
  : >"$here/theirs"
  for ((round = 0; round < rounds; round++)); do
    begun=$EPOCHREALTIME
    inside "$built/sesh-send" "$pane" ": $round" >/dev/null
    since "$begun" "$EPOCHREALTIME" >>"$here/ours"
    begun=$EPOCHREALTIME
    printf ': %s' "$round" | tmux -S "$socket" load-buffer -b bench - \; paste-buffer -p -r -d -b bench -t "$pane" \; send-keys -t "$pane" Enter
    since "$begun" "$EPOCHREALTIME" >>"$here/theirs"
  done
  printf '  a message to a shell, with proof: %s ms, of them 120 until the text counts as still; tmux without proof: %s ms\n' \
    "$(median "$here/ours")" "$(median "$here/theirs")"
}

messages() {
  printf '\nmessages and waits\n'
  start_server messages
  tmux -S "$socket" set -g history-limit 2000
  wait_latency "$1"
  hundred_waiters
  flooding
  sending "$1"
}
