# shellcheck shell=bash disable=SC2154
# What many seshes, waiting and sending cost, for bin/bench: beside plain tmux, its own wait-for, and a text that it
# pastes without proof.
#
#   messages ROUNDS   prints the section; sets $exceeded higher when a limit is
#
# Beside what plain tmux does too stands what is to be beaten: what wsh 5f6ac42 (deepgram/wsh) takes for it, in times of
# the same tmux command. Measured on Linux with two processors, in 100 runs in turn, each call a new process: its own
# program's for the list, curl's for the rest.

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
  # Whoever gave an order may still hold the pipe when it is opened again: that is no order.
  printf '%s\n' "while :; do read -r words <$here/orders || continue; $built/sesh-report \$words; echo \$EPOCHREALTIME >$here/told.new; mv $here/told.new $here/told; done" >"$here/teller"
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

# From the last thing that a command does to the return of whoever waits for its end. tmux's is told by the command.
exit_latency() {
  local rounds=$1 round
  mkfifo "$here/go"
  : >"$here/ours"
  : >"$here/theirs"
  for ((round = 0; round < rounds; round++)); do
    rm -f "$here/told" "$here/back"
    tmux -S "$socket" new-window -d -t bench: bash -c "read -r x <$here/go; echo \$EPOCHREALTIME >$here/told; exec tmux -S $socket wait-for -S ends-$round"
    (
      tmux -S "$socket" wait-for "ends-$round"
      echo "$EPOCHREALTIME" >"$here/back"
    ) &
    sleep 0.1 # why: that a waiter has its place nobody can ask tmux
    echo >"$here/go"
    wait $!
    since "$(cat "$here/told")" "$(cat "$here/back")" >>"$here/theirs"
    rm -f "$here/told" "$here/back"
    inside "$built/sesh-new" "ends-$round" -- bash -c "read -r x <$here/go; echo \$EPOCHREALTIME >$here/told" >/dev/null
    (
      inside "$built/sesh-wait" "ends-$round" --for exit --timeout 5s >/dev/null
      echo "$EPOCHREALTIME" >"$here/back"
    ) &
    sleep 0.2 # why: as above
    echo >"$here/go"
    wait $!
    since "$(cat "$here/told")" "$(cat "$here/back")" >>"$here/ours"
    inside "$built/sesh-end" "ends-$round" --forget >/dev/null
  done
  printf '  an end behind the last thing that the command did: %s ms; tmux wait-for, told by the command: %s ms (a wrapper in shell took 14.5, the hook pane-died 7.0)\n' \
    "$(median "$here/ours")" "$(median "$here/theirs")"
  over "an end's event, in ms over tmux wait-for (median of $rounds)" \
    "$(awk -v ours="$(median "$here/ours")" -v theirs="$(median "$here/theirs")" 'BEGIN { printf "%.1f", ours - theirs }')" 5
}

# How late it is told that a pane was quiet for half a second. tmux's is told by the program, which knows when it printed.
quiet_latency() {
  local rounds=$1 round late
  mkfifo "$here/lines"
  printf '%s\n' "while :; do read -r channel <$here/lines || continue; echo \$EPOCHREALTIME >$here/told; echo \"a line \$channel\"; if [ \"\$channel\" != none ]; then sleep 0.5; tmux -S $socket wait-for -S \$channel; fi; done" >"$here/printer" # why: tmux's side is told by the program, half a second after it has printed
  inside "$built/sesh-new" printer -- bash "$here/printer" >/dev/null
  : >"$here/ours"
  : >"$here/theirs"
  for ((round = 0; round < rounds; round++)); do
    rm -f "$here/told" "$here/back"
    (
      tmux -S "$socket" wait-for "quiet-$round"
      echo "$EPOCHREALTIME" >"$here/back"
    ) &
    sleep 0.1 # why: that a waiter has its place nobody can ask tmux
    echo "quiet-$round" >"$here/lines"
    wait $!
    late=$(since "$(cat "$here/told")" "$(cat "$here/back")")
    awk -v late="$late" 'BEGIN { print late - 500 }' >>"$here/theirs"
    rm -f "$here/told" "$here/back"
    (
      inside "$built/sesh-wait" printer --for quiet=500ms --fresh --timeout 5s >/dev/null
      echo "$EPOCHREALTIME" >"$here/back"
    ) &
    sleep "0.2$((RANDOM % 90 + 10))" # why: as above, and never in the same step of its looks
    echo none >"$here/lines"
    wait $!
    late=$(since "$(cat "$here/told")" "$(cat "$here/back")")
    awk -v late="$late" 'BEGIN { print late - 500 }' >>"$here/ours"
  done
  printf '  quiet for 500 ms, told so much after its time: %s ms, the latest %s; tmux wait-for, told by the program: %s ms (wsh, in its own server: 1.5 to 2.4)\n' \
    "$(median "$here/ours")" "$(sort -g "$here/ours" | tail -n 1)" "$(median "$here/theirs")"
  over "quiet, in ms over tmux wait-for (the latest of $rounds)" \
    "$(awk -v ours="$(sort -g "$here/ours" | tail -n 1)" -v theirs="$(median "$here/theirs")" 'BEGIN { printf "%.0f", ours - theirs }')" 120
}

# flood NAME alone|watched: how long a program takes to print a million lines, by its own clock, in ms.
flood() {
  rm -f "$here/began" "$here/flooded"
  inside "$built/sesh-new" "flood-$1" -S "$socket" -- bash -c "sleep 0.5; echo \$EPOCHREALTIME >$here/began; seq 1000000; echo \$EPOCHREALTIME >$here/flooded; exec sleep 60" >/dev/null # why: time for the watcher to begin; then the pane is held
  if [ "$2" = watched ]; then
    inside "$built/sesh-wait" "flood-$1" --for quiet=30s >/dev/null 2>&1 &
    watcher=$!
  fi
  until_there "$here/flooded"
  since "$(cat "$here/began")" "$(cat "$here/flooded")"
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
  for ((round = 0; round < 25; round++)); do
    flood "a$round" alone >>"$here/alone"
    flood "w$round" watched >>"$here/watched"
  done
  over 'a million lines while somebody waits for quiet, times without (medians of 25)' \
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

# against LABEL WSH 'TMUX COMMAND' HELPER WORD...: one of ours beside what a person would type, in $rounds.
against() {
  local label=$1 wsh=$2 theirs=$3
  shift 3
  in_turn "$rounds" "$(quoted "$built/$1" -S "$socket" "${@:2}")" "tmux -S $socket $theirs"
  beside "$label" "$wsh"
}

# beside LABEL WSH: a line of what was timed last.
beside() {
  local ours theirs ratio behind=
  read -r ours theirs ratio <<<"$(medians 2)"
  if awk -v ratio="$ratio" -v wsh="$2" 'BEGIN { exit !(ratio > wsh) }'; then
    behind=' behind'
  fi
  printf '  %6s  %-30s %9s %9s %6s  %6s%s\n' "$sessions" "$1" "$ours" "$theirs" "$ratio" "$2" "$behind"
}

# created WSH: what many cost, one by one. tmux is asked for the same by one command.
created() {
  local at
  local -a all=()
  for ((at = 0; at < rounds; at++)); do
    all+=(-n 0 "$(quoted "$built/sesh-new" -S "$socket" --session --tag t --env A=b "c-$sessions-$at" -- cat)")
    all+=(-n 1 "tmux -S $socket new-session -d -e A=b -s d-$sessions-$at cat ; set-option -p -t =d-$sessions-$at: @tag t ; set-option -p -t =d-$sessions-$at: remain-on-exit on")
  done
  timed "${all[@]}"
  beside "sesh-new / new-session" "$1"
  for ((at = 0; at < rounds; at++)); do
    "$built/sesh-end" -S "$socket" --forget "c-$sessions-$at" >/dev/null
    tmux -S "$socket" kill-session -t "=d-$sessions-$at"
  done
}

# with_so_many SESHES LIST READ SEND CREATE: how many there are, and what wsh takes then.
with_so_many() {
  local made last=s1 pane cursor
  sessions=$1
  for ((made = $(tmux -S "$socket" list-sessions | wc -l); made <= sessions; made++)); do
    "$built/sesh-new" -S "$socket" --session "s$made" -- cat >/dev/null
  done
  pane=$(tmux -S "$socket" list-panes -a -f "#{==:#{@sesh_name},$last}" -F '#{pane_id}')
  cursor=$("$built/pane-capture" -S "$socket" "$last" --since now --json | sed -n 's/.*"next": *"\([^"]*\)".*/\1/p')
  against 'sesh-list / list-sessions' "$2" 'list-sessions' sesh-list --columns name
  against 'pane-capture / capture-pane' "$3" "capture-pane -p -t $pane" pane-capture "$last"
  against 'pane-capture --since' "$3" "capture-pane -p -t $pane" pane-capture "$last" --since "$cursor"
  against 'pane-keys / send-keys' "$4" "send-keys -t $pane x" pane-keys "$last" x
  created "$5"
}

against_tmux() {
  rounds=$1
  printf '  %6s  %-30s %9s %9s %6s  %6s\n' seshes '' 'ours ms' 'tmux ms' ratio wsh
  with_so_many 1 1.4 3.5 3.3 2.2
  with_so_many 50 1.2 3.0 3.3 2.1
  with_so_many 160 0.95 2.3 2.2 2.5
}

# What came of 50, beside their panes' texts alone.
gathering() {
  local at ours theirs ratio all=()
  for ((at = 0; at < 50; at++)); do
    inside "$built/sesh-new" "g$at" --session --tag gathered -- bash -c 'seq 200; exit 3' >/dev/null
  done
  inside "$built/sesh-wait" --tag gathered --for exit --all --timeout 60s >/dev/null
  while read -r at; do
    all+=(capture-pane -p -S - -t "$at" ';')
  done < <(tmux -S "$socket" list-panes -a -f '#{m:* gathered *,#{@sesh_tags}}' -F '#{pane_id}')
  in_turn "$1" "$(quoted "$built/sesh-gather" -S "$socket" --tag gathered)" "$(quoted tmux -S "$socket" "${all[@]}")"
  read -r ours theirs ratio <<<"$(medians 2)"
  printf '  sesh-gather of 50 that have ended, 200 lines each: %s ms; their texts alone by one tmux: %s ms (%s times)\n' "$ours" "$theirs" "$ratio"
  inside "$built/sesh-gather" --tag gathered --forget >/dev/null
}

messages() {
  printf '\nmany seshes, messages and waits\n'
  start_server many
  against_tmux "$1"
  start_server messages
  tmux -S "$socket" set -g history-limit 2000
  gathering "$1"
  wait_latency "$1"
  exit_latency "$1"
  quiet_latency "$1"
  flooding
  sending "$1"
}
