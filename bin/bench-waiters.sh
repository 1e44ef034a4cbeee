# shellcheck shell=bash disable=SC2154
# What those that wait cost the server, for bin/bench.
#
#   bench_waiters ROUNDS   prints the section; sets $exceeded higher when a limit is

# ticks PID...: their CPU so far, in clock ticks.
ticks() {
  local pid
  for pid; do
    cat "/proc/$pid/stat" 2>/dev/null || true
  done | awk '{ sub(/.*[)] /, ""); sum += $12 + $13 } END { print sum + 0 }'
}

# How many sockets the server holds: a waiter on one sesh with a pane is one.
sockets() {
  # One that is closed meanwhile is none.
  find "/proc/$server/fd" -lname 'socket:*' 2>/dev/null | wc -l || true
}

# until_waiting SOCKETS
until_waiting() {
  local tries=600
  until [ "$(sockets)" -ge "$1" ]; do
    tries=$((tries - 1))
    if [ "$tries" -eq 0 ]; then
      echo "bench: the server has $(sockets) sockets, and $1 when all have their places" >&2
      exit 1
    fi
    sleep 0.1 # why: tmux does not tell that a waiter has its place
  done
}

# hundred_waiters WORD...: what 100 that wait so cost while nothing happens, in percent of a processor, in $percent. All of
# them wait at the begin and at the end, and an event ends them all.
hundred_waiters() {
  local waiters=() before after at pid empty woken=0
  empty=$(sockets)
  inside "$built/sesh-new" waited-for -- cat >/dev/null
  for ((at = 0; at < 100; at++)); do
    inside "$built/sesh-wait" waited-for --for exit "$@" >/dev/null 2>&1 &
    waiters+=($!)
  done
  until_waiting $((empty + 100))
  sleep 2 # why: what begins with a wait is no cost of it
  before=$(ticks "$server" "${waiters[@]}")
  sleep 10 # why: nothing happens for so long
  after=$(ticks "$server" "${waiters[@]}")
  if ! kill -0 "${waiters[@]}" 2>/dev/null || [ "$(sockets)" -lt $((empty + 100)) ]; then
    echo "bench: not all of the 100 waiters wait to the end" >&2
    exit 1
  fi
  inside "$built/sesh-end" waited-for >/dev/null
  for pid in "${waiters[@]}"; do
    if wait "$pid"; then
      woken=$((woken + 1))
    fi
  done
  if [ "$woken" -ne 100 ]; then
    echo "bench: of 100 waiters the end of the sesh woke $woken" >&2
    exit 1
  fi
  inside "$built/sesh-end" waited-for --forget >/dev/null
  percent=$(awk -v ticks=$((after - before)) -v second="$(getconf CLK_TCK)" 'BEGIN { printf "%.2f", ticks * 10 / second }')
}

# one_change SESH: microseconds of the server's CPU from a change of it to 3 s later, when all is done that it was put off.
changes=0
one_change() {
  local before
  before=$(used_by "$server")
  changes=$((changes + 1))
  inside "$built/sesh-set" "$1" --note "note $changes $RANDOM" >/dev/null
  sleep 3 # why: what follows a change belongs to it
  echo $(($(used_by "$server") - before))
}

# fifty_wait RANGE...: 50 that wait, on the seshes s1 to s50 or on the one that is given; their pids in $waiting.
fifty_wait() {
  local at empty
  empty=$(sockets)
  waiting=()
  for ((at = 1; at <= 50; at++)); do
    inside "$built/sesh-wait" "${1:-s$at}" --for exit >/dev/null 2>&1 &
    waiting+=($!)
  done
  until_waiting $((empty + 50))
  sleep 3 # why: what begins with a wait is no cost of a change
}

fifty_leave() {
  kill "${waiting[@]}" 2>/dev/null || true
  wait "${waiting[@]}" 2>/dev/null || true
  sleep 1 # why: the server has yet to see that they are gone
}

# In milliseconds: a list of microseconds in a file.
median_ms() {
  awk '{ print $1 / 1000 }' "$1" | sort -g | awk '{ all[NR] = $1 } END { printf "%.2f", all[int((NR + 1) / 2)] }'
}

change_with_waiters() {
  local rounds=$1 block round at
  start_server waiters
  for ((at = 1; at <= 160; at++)); do
    inside "$built/sesh-new" "s$at" -- cat >/dev/null
  done
  : >"$here/none"
  : >"$here/others"
  : >"$here/same"
  one_change s160 >/dev/null
  for ((block = 0; block < 2; block++)); do
    for ((round = 0; round < rounds; round++)); do
      one_change s160 >>"$here/none"
    done
    fifty_wait
    for ((round = 0; round < rounds; round++)); do
      one_change s160 >>"$here/others"
    done
    fifty_leave
    fifty_wait s160
    for ((round = 0; round < rounds; round++)); do
      one_change s160 >>"$here/same"
    done
    fifty_leave
  done
  printf '  one change at 160 seshes, server CPU until 3 s after it: %s ms; with 50 waiters on other seshes %s, on that sesh %s\n' \
    "$(median_ms "$here/none")" "$(median_ms "$here/others")" "$(median_ms "$here/same")"
  over "one change with 50 waiters on other seshes, times with none (medians of $((2 * rounds)))" \
    "$(awk -v others="$(median_ms "$here/others")" -v none="$(median_ms "$here/none")" 'BEGIN { printf "%.2f", others / none }')" 1.5
}

bench_waiters() {
  printf '\nwaiters\n'
  change_with_waiters "$1"
  start_server hundred
  hundred_waiters
  over '100 waiters while nothing happens, percent of a processor with the server' "$percent" 2
  hundred_waiters --for quiet=1h
  over '100 waiters for quiet while nothing happens, percent of a processor with the server' "$percent" 2
}
