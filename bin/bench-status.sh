# shellcheck shell=bash disable=SC2154
# What the status bar costs, for bin/bench: 100 panes, 10 clients, a line that is drawn anew each second.
#
#   status_bar   prints the section; sets $exceeded higher when the limit is

# Microseconds of CPU that a process has used.
used_by() {
  awk '{ printf "%d\n", $1 / 1000 }' "/proc/$1/schedstat"
}

# Bytes that the clients' terminals were sent, from what script(1) wrote down of one of them.
seen_by_client() {
  wc -c <"$here/client.1" | tr -d ' '
}

# clients N: terminals that look at the server, of 200 columns and 50 rows.
clients() {
  local at
  client_pids=()
  for ((at = 1; at <= $1; at++)); do
    # A terminal of its own, whose output goes to a file; it ends with its input.
    TERM=screen-256color script -qfec "stty cols 200 rows 50; exec tmux -u -S '$socket' attach -t bench" "$here/client.$at" \
      <"$here/silence" >/dev/null 2>&1 &
    client_pids+=($!)
  done
  local tries=100
  until [ "$(tmux -S "$socket" list-clients | wc -l)" -eq "$1" ]; do
    tries=$((tries - 1))
    if [ "$tries" -eq 0 ]; then
      echo 'bench: the clients did not attach' >&2
      return 1
    fi
    sleep 0.1 # why: a client that attaches has no event outside of tmux
  done
}

# cpu SECONDS: the server's CPU over that time, in microseconds.
cpu() {
  local before
  before=$(used_by "$server")
  sleep "$1" # why: it is what is measured
  echo $(($(used_by "$server") - before))
}

# The processes that the server started while something ran, by the kernel's own count of them.
children_during() {
  strace -f -qq -e trace=clone,clone3,fork,vfork -p "$server" -o "$here/forks" &
  local watcher=$!
  sleep 0.5 # why: strace says nothing when it has attached
  "$@"
  kill -INT "$watcher"
  wait "$watcher" || true
  grep -c '= [1-9]' "$here/forks" || true
}

# compare WHAT MICROSECONDS LIMIT: against the empty line.
compare() {
  local ratio verdict=
  ratio=$(awk -v ours="$2" -v empty="$empty" 'BEGIN { printf "%.2f", empty ? ours / empty : 0 }')
  if [ -n "$3" ]; then
    verdict=" (limit $3)"
    if awk -v ratio="$ratio" -v limit="$3" 'BEGIN { exit !(ratio > limit) }'; then
      exceeded=$((exceeded + 1))
      verdict+=' OVER'
    fi
  fi
  printf '  server CPU in %s s: %s %s ms, empty line %s ms, ratio %s%s\n' "$seconds" "$1" $(($2 / 1000)) \
    $((empty / 1000)) "$ratio" "$verdict"
}

status_bar() {
  command -v script >/dev/null || { echo 'the status bar is not measured: there is no script(1)' >&2; return; }
  local seconds=${1:-20} rounds=5 round at pane line forks before
  printf '\nstatus bar: 100 panes that are seshes, 10 clients, drawn anew each second\n'
  start_server status
  mkfifo "$here/silence"
  sleep 1000000 >"$here/silence" & # why: what holds the clients' input open
  local silence=$!
  for ((at = 1; at < 100; at++)); do
    tmux -S "$socket" new-window -d -t bench: cat
  done
  tmux -S "$socket" set -g status-interval 1 \; set -g status-left '' \; set -g @sesh-bin "$built" \; \
    set -g @sesh-install off \; set -g status-right '#{sesh_status}' \; set -g status-right-length 100 \; \
    set -ga window-status-format '#{sesh_window}' \; set -ga window-status-current-format '#{sesh_window}'
  at=0
  for pane in $(tmux -S "$socket" list-panes -a -F '#{pane_id}'); do
    at=$((at + 1))
    tmux -S "$socket" set -p -t "$pane" @sesh_id "s$at" \; set -p -t "$pane" @sesh_name "s$at" \; \
      set -p -t "$pane" @sesh_state "$(if [ $((at % 3)) -eq 0 ]; then echo busy; else echo idle; fi)" \; \
      set -p -t "$pane" @sesh_gen 1 \; set -p -t "$pane" @sesh_seen 1 \; set -p -t "$pane" @sesh_since 1700000000
  done
  tmux -S "$socket" run-shell ./sesh.tmux
  clients 10 || return
  # The empty line has the windows, as tmux shows them.
  local right window plain generation
  right=$(tmux -S "$socket" show -gv status-right)
  window=$(tmux -S "$socket" show -gwv window-status-format)
  plain=${window%'#{E:@sesh-window}'}
  generation=$(tmux -S "$socket" display-message -p '#{SESH_tick}')
  # In turn, so that what else the machine does meets all of them. The empty line has no tick either.
  local -A used=([empty]=0 [status]=0 [both]=0)
  for ((round = 0; round < rounds; round++)); do
    for line in empty status both; do
      tmux -S "$socket" set -g status-right '' \; set -gw window-status-format "$plain" \; \
        set -gw window-status-current-format "$plain"
      case $line in
        empty) tmux -S "$socket" set-environment -gh SESH_tick none ;;
        status)
          # The last timer has run out meanwhile, so there is one tick again.
          tmux -S "$socket" set-environment -gh SESH_tick "$generation" \; set-environment -gh SESH_do later \; \
            set-hook -gR after-unbind-key \; set-environment -ghu SESH_do
          ;;
      esac
      if [ "$line" != empty ]; then
        tmux -S "$socket" set -g status-right "$right"
      fi
      if [ "$line" = both ]; then
        tmux -S "$socket" set -gw window-status-format "$window" \; set -gw window-status-current-format "$window"
      fi
      used[$line]=$((used[$line] + $(cpu $((seconds / rounds)))))
    done
  done
  empty=${used[empty]}
  compare '#{sesh_status}' "${used[status]}" 1.2
  compare 'and #{sesh_window} in each of 100 windows' "${used[both]}" ''
  # The first look of the tick is a difference; what it starts has ended after it.
  until tmux -S "$socket" show-environment -gh SESH_before >/dev/null 2>&1 &&
    ! tmux -S "$socket" show-environment -gh SESH_reap >/dev/null 2>&1; do
    sleep 0.2 # why: the tick is seconds away, and has no event
  done
  if command -v strace >/dev/null; then
    forks=$(children_during sleep 10) # why: nothing moves for so long
    printf '  processes started in 10 s while nothing moves: %s (limit 0)\n' "$forks"
    if [ "$forks" -ne 0 ]; then
      exceeded=$((exceeded + 1))
    fi
  fi
  sleep 1.2 # why: the last drawing of before is none of these
  before=$(seen_by_client)
  for at in 1 2 3 4 5 6 7 8 9 10; do
    tmux -S "$socket" set-environment -gh "SESH_heartbeat_$at" "$at" \; set-hook -gu -t "$pane" @sesh_none
  done
  sleep 1.2 # why: a drawing comes within the interval
  printf '  bytes to a client for 10 heartbeats: %s\n' $(($(seen_by_client) - before))
  before=$(seen_by_client)
  tmux -S "$socket" set -p -t "$pane" @sesh_state waiting \; set-hook -gu -t "$pane" @sesh_none
  sleep 1.2 # why: as above
  printf '  bytes to a client for one change of a state: %s\n' $(($(seen_by_client) - before))
  kill "${client_pids[@]}" "$silence" 2>/dev/null || true
  wait "${client_pids[@]}" "$silence" 2>/dev/null || true
}
