# shellcheck shell=bash disable=SC2154
# What a hook costs the agent that calls it, for bin/bench: the CPU of sesh-report and of all that it starts, against that of
# tmux display-message.
#
#   hooks ROUNDS   prints the section; sets $exceeded higher when a limit is
#
# A program that is called claude runs both in turn, in the pane of a sesh, as an agent runs its hooks. In each round a hook
# tells that a turn begins, one that the agent does what it did before, and one that the turn ends.

# hooks_payload EVENT FIELDS
hooks_payload() {
  printf '{"session_id":"3f2c8a10-5b7e-4c1d-9f00-1a2b3c4d5e6f","hook_event_name":"%s","cwd":"/tmp",%s}' "$1" "$2"
}

hooks() {
  local rounds=$1 kind ours theirs
  start_server hooked
  mkdir "$here/hooks"
  hooks_payload UserPromptSubmit '"prompt":"say hello"' >"$here/hooks/busy"
  hooks_payload PreToolUse '"tool_name":"Bash","tool_input":{"command":"ls"}' >"$here/hooks/same"
  hooks_payload Stop '"last_assistant_message":"hello"' >"$here/hooks/idle"
  # hyperfine gives a command no input before version 1.16.
  cc -o "$here/hooks/cpu" -x c - <<END
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
extern char **environ;
/* cpu INPUT COMMAND...: prints the milliseconds of CPU that a command and its children use. */
int main(int argc, char **argv) {
  posix_spawn_file_actions_t files;
  struct rusage used;
  pid_t child;
  int status;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, argv[1], O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
  if (posix_spawnp(&child, argv[2], &files, 0, argv + 2, environ) || wait4(child, &status, 0, &used) < 0 || status)
    return 1;
  printf("%.3f\\n", (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3);
  return 0;
}
END
  cat >"$here/hooks/claude" <<END
#!/usr/bin/env bash
cd '$here/hooks' || exit
for ((round = 0; round < $rounds; round++)); do
  for kind in busy same idle; do
    ./cpu "\$kind" '$built/sesh-report' --from claude >>"\$kind.ours"
    ./cpu /dev/null tmux display-message -p x >>"\$kind.tmux"
  done
done
tmux wait-for -S hooks-done
exec cat
END
  chmod +x "$here/hooks/claude"
  inside "$built/sesh-new" hooks -- "$here/hooks/claude" >/dev/null
  tmux -S "$socket" wait-for hooks-done
  if [ "$("$built/sesh-list" -S "$socket" --no-header --columns state hooks)" != idle ]; then
    echo "bench: the hooks were not believed" >&2
    exit 1
  fi
  echo
  echo "hooks of an agent: CPU of one, with all that it starts, against tmux display-message (median of $rounds)"
  for kind in busy same idle; do
    ours=$(hooks_median "$here/hooks/$kind.ours")
    theirs=$(hooks_median "$here/hooks/$kind.tmux")
    over "$(printf '%-4s %s ms, tmux %s ms' "$kind" "$ours" "$theirs")" "$(ratio "$ours" "$theirs")" 1.1
  done
}

# The first round is for warmth.
hooks_median() {
  tail -n +2 "$1" | sort -g | awk '{ all[NR] = $1 } END { printf "%.2f", all[int((NR + 1) / 2)] }'
}
