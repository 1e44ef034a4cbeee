# shellcheck shell=bash disable=SC2154
# What knowing the state of agents costs, for bin/bench: programs with an agent's name that show a recorded screen.
#
#   agents   prints the section; sets $exceeded higher when a limit is

screens=tests/fixtures/agents/claude-2.1.329

# agent_windows N: windows in each of which an agent shows what comes through a pipe of its own.
agent_windows() {
  local at
  mkdir -p "$here/pipes"
  cp "$(command -v cat)" "$here/pipes/claude"
  feeders=()
  for ((at = 1; at <= $1; at++)); do
    mkfifo "$here/pipes/$at"
    tmux -S "$socket" new-window -d -t bench: "HOME=$here exec $here/pipes/claude $here/pipes/$at"
  done
  # One that writes to them all, and keeps them open.
  for ((at = 1; at <= $1; at++)); do
    exec {feeder}>"$here/pipes/$at"
    feeders+=("$feeder")
  done
}

# shows SCREEN: on all of them.
shows() {
  local feeder
  for feeder in "${feeders[@]}"; do
    printf '\033[H\033[2J' >&"$feeder"
    sed 's/$/\r/' "$screens/$1.80x24.ansi" >&"$feeder"
  done
}

# The CPU of the server and of all that it started and that has ended, in milliseconds: proc_pid_stat(5).
family_cpu() {
  awk -v tick="$(getconf CLK_TCK)" '{ sub(/.*[)] /, ""); print ($12 + $13 + $14 + $15) * 1000 / tick }' "/proc/$server/stat"
}

# busy_cpu SECONDS TICK: the CPU over that time while all print five times a second; TICK is none for no tick. What is
# without one lasts longer than the timer of the tick before it.
busy_cpu() {
  local before round
  if [ "$2" = none ]; then
    tmux -S "$socket" set-environment -gh SESH_tick none
  elif [ "$(tmux -S "$socket" display-message -p '#{SESH_tick}')" = none ]; then
    tmux -S "$socket" set-environment -gh SESH_tick "$2" \; set-environment -gh SESH_do later \; \
      set-hook -gR after-unbind-key \; set-environment -ghu SESH_do
  fi
  before=$(family_cpu)
  for ((round = 0; round < $1 * 5; round++)); do
    for feeder in "${feeders[@]}"; do
      printf '\033[1;1H%s' "$round" >&"$feeder"
    done
    sleep 0.2 # why: what prints all the time is what is measured
  done
  awk -v before="$before" -v after="$(family_cpu)" 'BEGIN { print after - before }'
}

# over WHAT VALUE LIMIT
over() {
  local verdict=
  if awk -v value="$2" -v limit="$3" 'BEGIN { exit !(value > limit) }'; then
    exceeded=$((exceeded + 1))
    verdict=' OVER'
  fi
  printf '  %s: %s (limit %s)%s\n' "$1" "$2" "$3" "$verdict"
}

# How many tmux programs a command starts; their words are in $here/calls.
tmux_programs() {
  : >"$here/calls"
  inside env SESH_CLIENT= PATH="$here/count:$PATH" "$@" >/dev/null 2>&1 || true
  wc -l <"$here/calls" | tr -d ' '
}

# costs NAME: what hyperfine has written down of one command.
costs() {
  awk -F, -v name="$1" 'NR == 2 {
    printf "  %s: %.1f ms, of it %.1f ms CPU of its own and of the tmux programs that it starts\n", name, $4 * 1000, ($5 + $6) * 1000
  }' "$here/csv"
}

thirty_agents() {
  local seconds=$1 with=0 without=0 round generation
  printf '\nagents: 30, each in a window of its own, with the plugin and its tick of 2 s\n'
  start_server agents
  agent_windows 30
  shows idle
  tmux -S "$socket" set -g @sesh-bin "$built" \; set -g @sesh-install off
  tmux -S "$socket" run-shell ./sesh.tmux
  until [ "$(tmux -S "$socket" list-panes -a -F x -f '#{==:#{@sesh_state},idle}' | wc -l)" -eq 30 ]; do
    sleep 0.2 # why: the tick finds them, and has no event
  done
  if command -v strace >/dev/null; then
    sleep 6 # why: what printed a moment ago is looked at once more
    over 'processes started in 10 s while nothing moves' "$(children_during sleep 10)" 0 # why: nothing moves for so long
  fi
  generation=$(tmux -S "$socket" display-message -p '#{SESH_tick}')
  for ((round = 0; round < 4; round++)); do
    with=$(awk -v sum="$with" -v more="$(busy_cpu $((seconds / 4)) "$generation")" 'BEGIN { print sum + more }')
    without=$(awk -v sum="$without" -v more="$(busy_cpu $((seconds / 4)) none)" 'BEGIN { print sum + more }')
  done
  # The server, sesh-reap and the shell that starts it, less what printing costs by itself.
  over 'while all print, percent of a processor' \
    "$(awk -v with="$with" -v without="$without" -v ms=$((seconds * 1000)) 'BEGIN { printf "%.2f", (with - without) * 100 / ms }')" 1
  close_feeders
}

hundred_agents() {
  local measure pane
  printf '\nagents: 100, without the plugin\n'
  start_server hundred
  rm -rf "$here/pipes"
  agent_windows 100
  shows busy
  mkdir -p "$here/count"
  # shellcheck disable=SC2016 # the script's own
  printf '#!/bin/sh\necho "$*" >>"%s"\nexec "%s" "$@"\n' "$here/calls" "$tmux" >"$here/count/tmux"
  chmod +x "$here/count/tmux"
  until [ "$(inside "$built/sesh-list" --no-header --state busy --columns name | wc -l)" -eq 100 ]; do
    inside "$built/sesh-reap"
  done
  over 'tmux processes of one evaluation of all (sesh-reap)' "$(tmux_programs "$built/sesh-reap")" 1
  over 'tmux processes of a list with the states of the moment' "$(tmux_programs "$built/sesh-list")" 1
  for measure in sesh-reap sesh-list; do
    hyperfine --warmup 3 --runs 30 --export-csv "$here/csv" --style none --shell none "$built/$measure -S $socket" >/dev/null 2>&1
    costs "$measure"
  done
  # A hook, as an agent in a pane runs it.
  pane=$(tmux -S "$socket" new-window -d -P -F '#{pane_id}' -t bench: "
    : >$here/calls
    PATH=$here/count:\$PATH $built/sesh-report --state busy
    mv $here/calls $here/report
    hyperfine --warmup 3 --runs 50 --export-csv $here/csv --style none --shell none '$built/sesh-report --state busy' >/dev/null 2>&1
    echo done >$here/reported
    exec cat")
  until [ -f "$here/reported" ]; do
    sleep 0.2 # why: a pane has no event for what its command has done
  done
  over 'tmux processes of a report' "$(wc -l <"$here/report" | tr -d ' ')" 1
  over 'other panes that it reads' "$(grep -c 'capture-pane\|list-panes' "$here/report" || true)" 0
  costs "a report of $pane"
  close_feeders
}

close_feeders() {
  local feeder
  for feeder in "${feeders[@]}"; do
    exec {feeder}>&-
  done
}

agents() {
  thirty_agents "$1"
  hundred_agents
}
