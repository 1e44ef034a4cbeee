# shellcheck shell=sh
# tmux with a limit for each answer. Sourced by all that the plugin runs: a server that is stopped or hangs answers nothing,
# and a script that waits for it would never end. Where a limit is over, the script ends, because nothing that it would ask
# next has an answer: quietly, as all jobs are, or with a sentence on a terminal. A script that sets $silent_server to `stay`
# continues instead. What waits for a person is called with `command tmux`.
answer_limit=10 silent_server=end

# limit COMMAND...: ends it and what it started, with the code 124, where the limit is over.
if command -v timeout >/dev/null; then
  limit() {
    timeout "$answer_limit" "$@"
  }
elif command -v perl >/dev/null; then
  # shellcheck disable=SC2016 # perl expands it
  limit() {
    perl -e 'my $limit = shift; my $pid = fork; if (!$pid) { setpgrp(0, 0); exec @ARGV }
      $SIG{ALRM} = sub { kill "-TERM", $pid; exit 124 }; alarm $limit; waitpid $pid, 0; exit($? >> 8)' "$answer_limit" "$@"
  }
else
  limit() {
    "$@"
  }
fi

# A client passes its standard output on to the server, where a stopped one keeps it open, and what reads it would wait. So
# another shell reads it, which ends with the limit. `exit` would end a subshell alone, hence the signal.
# shellcheck disable=SC2016 # the other shell expands it
tmux() {
  limit sh -c 'printed=$(tmux "$@"); code=$?; test -z "$printed" || printf "%s\n" "$printed"; exit $code' sh "$@"
  tmux_code=$?
  case $silent_server$tmux_code in
    end124) kill "$$" ;;
  esac
  return "$tmux_code"
}

# option NAME: prints the value of a global option as it is. tmux 3.4 prints a backslash before a dollar that has none.
option() {
  option_value=$(tmux -u show-options -gqv "$1")
  case $option_value in
    *'\$'*) [ "$(tmux -u display-message -p '#{version}')" != 3.4 ] ||
      option_value=$(printf '%s' "$option_value" | sed 's/\\\$/$/g') ;;
  esac
  printf '%s' "$option_value"
}

gives_up() {
  [ -t 2 ] || exit 0
  echo "${0##*/}: no answer from tmux: its server hangs or is stopped" >&2
  exit 6
}
trap gives_up TERM
