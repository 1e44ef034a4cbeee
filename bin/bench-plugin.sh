# shellcheck shell=bash disable=SC2154
# What the plugin costs the tmux server where no agent changes, and what one change costs, for bin/bench.
#
#   plugin PANES...   prints the section at each number of seshes; sets $exceeded higher when a limit is
#
# Two servers have the same windows with the same pane options, and one of them has the plugin. The acts are done on
# one and the other in turn. The tick is off: it has a limit of its own, among the agents. CPU is that of the server, by
# the kernel's count of nanoseconds, until 3 s after the act, since the plugin leaves a part of its work for later; what
# the server uses in such a time without any act is subtracted. Values are medians.

# The two servers, by their name: `plain` and `plugin`.
declare -A socket_of=() server_of=()

# Milliseconds of CPU of the processes that a server started and that have ended: proc_pid_stat(5).
children_cpu() {
  awk -v tick="$(getconf CLK_TCK)" '{ sub(/.*[)] /, ""); print ($14 + $15) * 1000 / tick }' "/proc/$1/stat"
}

# windows_with_seshes PANES: on $socket, in few calls of tmux.
windows_with_seshes() {
  local at pane
  local -a words=()
  for ((at = 1; at <= $1; at++)); do
    words+=(new-window -d -t bench: cat \;)
    if [ $((at % 40)) -eq 0 ] || [ "$at" -eq "$1" ]; then
      tmux -S "$socket" "${words[@]}"
      words=()
    fi
  done
  at=0
  for pane in $(tmux -S "$socket" list-panes -a -F '#{pane_id}' | tail -n "$1"); do
    at=$((at + 1))
    words+=(set -p -t "$pane" @sesh_id "s$at" \; set -p -t "$pane" @sesh_name "s$at" \;
      set -p -t "$pane" @sesh_state "$(if [ $((at % 3)) -eq 0 ]; then echo busy; else echo idle; fi)" \;
      set -p -t "$pane" @sesh_gen 1 \; set -p -t "$pane" @sesh_seen 1 \; set -p -t "$pane" @sesh_since 1700000000 \;)
    if [ $((at % 20)) -eq 0 ] || [ "$at" -eq "$1" ]; then
      tmux -S "$socket" "${words[@]}"
      words=()
    fi
  done
}

# two_servers PANES
two_servers() {
  local which pane
  for which in plain plugin; do
    start_server "$which-$1"
    windows_with_seshes "$1"
    socket_of[$which]=$socket
    server_of[$which]=$server
    # start_server ends the one in $server; the one without the plugin stays beside it.
    if [ "$which" = plain ]; then
      beside=$server
      server=
    fi
  done
  tmux -S "$socket" set -g @sesh-bin "$built" \; set -g @sesh-install off \; set -g @sesh-tick off
  tmux -S "$socket" run-shell ./sesh.tmux
  # What the helpers run after each write of a pane's state.
  for pane in $(tmux -S "$socket" list-panes -a -F '#{pane_id}'); do
    tmux -S "$socket" set-hook -gu -t "$pane" @sesh_none
  done
  sleep 5 # why: what they leave for later has no event
}

# spent WHICH WHAT WORD...: runs WORD... and adds a line to the file spent/WHICH-WHAT: microseconds of the server's CPU until
# 3 s later, milliseconds of CPU of the processes that it started, and milliseconds until WORD... had ended.
spent() {
  local which=$1 what=$2 cpu children from to
  shift 2
  cpu=$(used_by "${server_of[$which]}")
  children=$(children_cpu "${server_of[$which]}")
  from=$EPOCHREALTIME
  "$@"
  to=$EPOCHREALTIME
  sleep 3 # why: what is left for later has no event, and is counted
  printf '%s %s %s\n' $(($(used_by "${server_of[$which]}") - cpu)) \
    "$(awk -v from="$children" -v to="$(children_cpu "${server_of[$which]}")" 'BEGIN { print to - from }')" \
    "$(since "$from" "$to")" >>"$here/spent/$which-$what"
}

# value WHICH WHAT COLUMN: the median.
value() {
  awk -v column="$3" '{ print $column }' "$here/spent/$1-$2" | sort -g >"$here/sorted"
  median "$here/sorted"
}

# server_ms WHICH WHAT: the median CPU of the server in milliseconds, less what it uses without an act.
server_ms() {
  awk -v cpu="$(value "$1" "$2" 1)" -v idle="$(value "$1" idle 1)" 'BEGIN { printf "%.2f", (cpu - idle) / 1000 }'
}

ratio() {
  awk -v ours="$1" -v theirs="$2" 'BEGIN { printf "%.2f", (theirs > 0 ? ours / theirs : 0) }'
}

# server_ratio LABEL WHAT LIMIT: the CPU of both servers.
server_ratio() {
  local ours theirs
  ours=$(server_ms plugin "$2")
  theirs=$(server_ms plain "$2")
  printf '  %s: server CPU %s ms, without the plugin %s ms; processes that the server started %s ms, without %s ms\n' \
    "$1" "$ours" "$theirs" "$(value plugin "$2" 2)" "$(value plain "$2" 2)"
  over "$1: server CPU, ratio" "$(ratio "$ours" "$theirs")" "$3"
}

# Both servers in turn, the first one by turns.
each_server() {
  if [ $((round % 2)) -eq 0 ]; then
    echo plain plugin
  else
    echo plugin plain
  fi
}

# ten_windows WHICH: plain tmux's own job of ten windows that work, each of which says when it has done so.
ten_windows() {
  local socket=${socket_of[$1]} at
  for at in 1 2 3 4 5 6 7 8 9 10; do
    tmux -S "$socket" new-window -d -n "job-$at" -t bench: "echo $at; tmux -S '$socket' wait-for -S worked-$at; exec cat"
  done
  for at in 1 2 3 4 5 6 7 8 9 10; do
    tmux -S "$socket" wait-for "worked-$at"
  done
  for at in 1 2 3 4 5 6 7 8 9 10; do
    tmux -S "$socket" kill-window -t "=bench:=job-$at"
  done
}

# ten_lists SOCKET
ten_lists() {
  local at
  for at in 1 2 3 4 5 6 7 8 9 10; do
    tmux -S "$1" list-panes -a -F x >/dev/null
  done
}

# What counting costs after a change of a state, beside the writes of the pane's options.
change_of_state() {
  local panes=$1 rounds=$2 limit=$3 socket=${socket_of[plugin]} round pane state=idle other=busy before same=0
  local write count list
  pane=$(tmux -S "$socket" list-panes -a -F '#{pane_id}' | tail -n 1)
  tmux -S "$socket" set -p -t "$pane" @sesh_state "$state" \; set-hook -gu -t "$pane" @sesh_none
  sleep 3 # why: what this leaves for later is none of what follows
  for ((round = 0; round < rounds; round++)); do
    # The writes alone: the state that it has.
    spent plugin write tmux -S "$socket" set -p -t "$pane" @sesh_state "$state"
    before=$(tmux -S "$socket" display-message -p '#{@seshsum_busy}')
    spent plugin count tmux -S "$socket" set -p -t "$pane" @sesh_state "$other" \; \
      set-hook -gu -t "$pane" @sesh_none
    if [ "$(tmux -S "$socket" display-message -p '#{@seshsum_busy}')" = "$before" ]; then
      same=$((same + 1))
    fi
    spent plugin list ten_lists "$socket"
    before=$state state=$other other=$before
  done
  write=$(server_ms plugin write)
  count=$(awk -v both="$(server_ms plugin count)" -v write="$write" 'BEGIN { printf "%.2f", both - write }')
  list=$(awk -v ten="$(server_ms plugin list)" 'BEGIN { printf "%.2f", ten / 10 }')
  printf '  one change of a state: writes of its options %s ms, counting %s ms; list-panes -a -F x %s ms\n' \
    "$write" "$count" "$list"
  over 'counting after a change, ratio to that list' "$(ratio "$count" "$list")" "$limit"
  over "changes of $rounds that were not counted" "$same" 0
}

# loading_again ROUNDS: a load, which a person waits for when tmux starts, against the shortest job of tmux.
loading_again() {
  local socket=${socket_of[plugin]} round from
  for ((round = 0; round < $1; round++)); do
    from=$EPOCHREALTIME
    tmux -S "$socket" run-shell true
    printf '0 0 %s\n' "$(since "$from" "$EPOCHREALTIME")" >>"$here/spent/plain-load"
    from=$EPOCHREALTIME
    tmux -S "$socket" run-shell ./sesh.tmux
    printf '0 0 %s\n' "$(since "$from" "$EPOCHREALTIME")" >>"$here/spent/plugin-load"
  done
  printf '  a load: %s ms, run-shell true %s ms\n' "$(value plugin load 3)" "$(value plain load 3)"
  over 'a load: time, ratio to run-shell true' "$(ratio "$(value plugin load 3)" "$(value plain load 3)")" 60
}

plugin_at() {
  local panes=$1 rounds=$2 limit=$3 round which idle
  printf '\nplugin: %s seshes, tick off, %s rounds\n' "$panes" "$rounds"
  two_servers "$panes"
  rm -rf "$here/spent"
  mkdir "$here/spent"
  for ((round = 0; round < rounds; round++)); do
    for which in plain plugin; do
      tmux -S "${socket_of[$which]}" new-window -d -n "plain-$round" -t bench: cat
    done
  done
  sleep 5 # why: what a birth leaves for later has no event
  for ((round = 0; round < rounds; round++)); do
    spent plain idle true &
    idle=$!
    spent plugin idle true
    wait "$idle"
  done
  for ((round = 0; round < rounds; round++)); do
    for which in $(each_server); do
      spent "$which" kill tmux -S "${socket_of[$which]}" kill-window -t "=bench:=plain-$round"
    done
  done
  for ((round = 0; round < rounds; round++)); do
    for which in $(each_server); do
      spent "$which" job ten_windows "$which"
    done
  done
  printf '  idle for 3 s: server CPU %s us, without the plugin %s us\n' "$(value plugin idle 1)" "$(value plain idle 1)"
  server_ratio 'kill-window of a plain window' kill 1.5
  server_ratio 'ten windows made, waited for, killed' job 1.5
  printf '  ten windows made, waited for, killed: %s ms, without the plugin %s ms\n' "$(value plugin job 3)" "$(value plain job 3)"
  over 'ten windows made, waited for, killed: time, ratio' "$(ratio "$(value plugin job 3)" "$(value plain job 3)")" 1.2
  change_of_state "$panes" "$rounds" "$limit"
  loading_again "$rounds"
  kill "$beside" 2>/dev/null || true
  wait "$beside" 2>/dev/null || true
  beside=
}

plugin() {
  local rounds=$1 panes
  shift
  for panes; do
    # The list grows with the panes, and counting grows less.
    plugin_at "$panes" "$rounds" "$(if [ "$panes" -lt 1000 ]; then echo 0.8; else echo 0.4; fi)"
  done
}
