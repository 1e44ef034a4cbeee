# shellcheck shell=bash disable=SC2154
# What the picker costs, for bin/bench: in a popup, over a popup that only prints the same, with 300 seshes.
#
#   picker ROUNDS   prints the section; sets $exceeded higher when a limit is

# A person who looks, in a pane of another server: what is sent there is typed, and what stands there is seen.
person() {
  tmux -u -S "$here/outer" -f /dev/null new-session -d -s p -x 200 -y 50 "env -u TMUX -u TMUX_PANE TERM=screen-256color tmux -u -S '$socket' attach -t bench"
  tmux -S "$here/outer" set-option -g status off
  until [ -n "$(tmux -S "$socket" list-clients -F '#{client_name}')" ]; do
    sleep 0.05 # why: a client that attaches has no event outside of tmux
  done
  looker=$(tmux -S "$socket" list-clients -F '#{client_name}')
}

# sees PATTERN: waits until it is on the screen. A look is a tmux, some 3 ms, for both that are compared.
sees() {
  until tmux -S "$here/outer" capture-pane -p -t p | grep -qE -e "$1"; do :; done
}

gone() {
  while tmux -S "$here/outer" capture-pane -p -t p | grep -qE -e "$1"; do :; done
}

# opens COMMAND: until a popup that runs it shows what it prints, in milliseconds.
opens() {
  local before=$EPOCHREALTIME
  tmux -u -S "$socket" display-popup -c "$looker" -w 90% -h 85% -E "$1" &
  sees ' › '
  since "$before" "$EPOCHREALTIME"
}

# redraws KEY PATTERN
redraws() {
  local before=$EPOCHREALTIME
  tmux -S "$here/outer" send-keys -t p "$1"
  sees "$2"
  since "$before" "$EPOCHREALTIME"
}

closes() {
  tmux -S "$here/outer" send-keys -t p "$1"
  gone ' › '
  wait $! || true # it is the exit code of what was closed
}

picker() {
  local rounds=$1 round at pid before enter
  start_server picker
  for ((at = 1; at <= 300; at++)); do
    inside "$built/sesh-new" "s$at" --tag "t$((at % 7))" -- cat >/dev/null
  done
  person
  enter="exec '$built/sesh-enter' --client '$looker'"
  : >"$here/ours" && : >"$here/theirs" && : >"$here/key" && : >"$here/echo"
  for ((round = 0; round < rounds; round++)); do
    opens "printf ' › '; exec cat" >>"$here/theirs"
    redraws x '› .*x' >>"$here/echo"
    closes C-c
    opens "$enter" >>"$here/ours"
    redraws 7 '› 7' >>"$here/key"
    closes Escape
  done
  printf '\n%s\n' 'the picker in a popup, with 300 seshes'
  over "until it stands there, in ms over an empty popup (median of $rounds)" \
    "$(awk -v ours="$(median "$here/ours")" -v theirs="$(median "$here/theirs")" 'BEGIN { printf "%.1f", ours - theirs }')" 60
  over "from a key to what it changes, in ms over a cat that echoes it (median of $rounds)" \
    "$(awk -v ours="$(median "$here/key")" -v theirs="$(median "$here/echo")" 'BEGIN { printf "%.1f", ours - theirs }')" 16
  opens "$enter" >/dev/null
  pid=$(pgrep -f "^$built/sesh-enter --client" | head -n 1)
  sleep 5 # why: what opens is not idle
  before=$(used_by_all "$pid")
  sleep 20 # why: it is what is measured
  over 'CPU while nothing moves, in percent of one processor' \
    "$(awk -v us=$(($(used_by_all "$pid") - before)) 'BEGIN { printf "%.2f", us / 200000 }')" 0.5
  closes Escape
  tmux -S "$here/outer" kill-server
}

# Microseconds of CPU that all threads of a process have used.
used_by_all() {
  cat "/proc/$1/task"/*/schedstat | awk '{ sum += $1 } END { printf "%d\n", sum / 1000 }'
}
