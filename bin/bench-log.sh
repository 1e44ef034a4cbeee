# shellcheck shell=bash disable=SC2154
# What reading a transcript costs, against tail and one question to tmux, for bin/bench.
#
#   bench_log ROUNDS   prints the section; sets $exceeded higher for each limit that is exceeded

# A conversation of 48 MB of Claude: turns with a tool and its result, as they are in long ones.
log_transcript() {
  awk -v id="$2" 'BEGIN {
    text = "An answer of some length, with the words that an agent needs to say what it has done. "
    for (at = 0; at < 4; at++) text = text text
    for (at = 0; at < 3; at++) output = output text "\\n"
    last = "null"
    while (size < 48 * 1024 * 1024) {
      turn++
      split("user assistant user assistant", kinds, " ")
      content[1] = "\"task " turn "\""
      content[2] = "[{\"type\":\"tool_use\",\"id\":\"tool" turn "\",\"name\":\"Bash\",\"input\":{\"command\":\"make test\"}}]"
      content[3] = "[{\"type\":\"tool_result\",\"tool_use_id\":\"tool" turn "\",\"content\":\"" output "\"}]"
      content[4] = "[{\"type\":\"text\",\"text\":\"" text "\"}]"
      for (part = 1; part <= 4; part++) {
        line = sprintf("{\"parentUuid\":%s,\"isSidechain\":false,\"type\":\"%s\",\"message\":{\"role\":\"%s\",\"content\":%s},\"uuid\":\"%d-%d\",\"timestamp\":\"2026-11-20T16:17:28.881Z\",\"sessionId\":\"%s\"}",
          last, kinds[part], kinds[part], content[part], turn, part, id)
        last = sprintf("\"%d-%d\"", turn, part)
        size += length(line) + 1
        print line
      }
    }
  }' >"$1"
}

bench_log() {
  local rounds=$1 at pane id=46ed2323-f13a-4fb3-98e7-659d84033d77 file
  local -a our_calls=() their_calls=()
  # shellcheck disable=SC2059 # the row is ours
  printf "\n$row" panes 'transcripts' 'helper ms' 'tmux ms' ratio limit tmux processes '' ''
  start_server transcripts
  file=$here/.claude/projects/project/$id.jsonl
  mkdir -p "${file%/*}"
  log_transcript "$file" "$id"
  # What is measured is the log, and not which agent runs.
  inside "$built/sesh-new" worker -- cat >/dev/null
  pane=$(tmux -S "$socket" list-panes -a -f '#{==:#{@sesh_name},worker}' -F '#{pane_id}')
  tmux -S "$socket" set-option -p -t "$pane" @sesh_agent claude
  tmux -S "$socket" set-option -p -t "$pane" @sesh_conv "$id"
  for ((at = 0; at < rounds; at++)); do
    our_calls+=("$(quoted env "HOME=$here" "$built/sesh-log" -S "$socket" worker -n 20)")
    their_calls+=("$(quoted sh -c "tail -c 1M '$file' && exec '$tmux' -S '$socket' display-message -p x")")
  done
  trace env "HOME=$here" "$built/sesh-log" -S "$socket" worker -n 20
  write_row 'sesh-log -n 20 of 48 MB / tail -c 1M and display' 3.0 our_calls their_calls 1
}
