# shellcheck shell=bash disable=SC2154,SC2034
# What claims, landings and the board cost, against git alone, for bin/bench.
#
#   bench_work ROUNDS   prints the section; sets $exceeded higher for each limit that is exceeded

# as_git WORD...: git without a person's own settings.
as_git() {
  env HOME="$here" GIT_CONFIG_NOSYSTEM=1 git "$@"
}

# as_sesh PANE WORD...: in a pane of the server.
as_sesh() {
  local pane=$1
  shift
  env TMUX="$socket,$server,0" TMUX_PANE="$pane" SHELL=/bin/sh HOME="$here" GIT_CONFIG_NOSYSTEM=1 "$@"
}

# The words of as_sesh, for a command line.
as_sesh_words() {
  around=(env "TMUX=$socket,$server,0" "TMUX_PANE=$1" SHELL=/bin/sh "HOME=$here" GIT_CONFIG_NOSYSTEM=1)
}

# work_repository NAME: one of 100 files.
work_repository() {
  local at
  repo=$here/$1
  as_git init -q -b main "$repo"
  for ((at = 0; at < 100; at++)); do
    mkdir -p "$repo/part$((at % 10))"
    echo "text $at" >"$repo/part$((at % 10))/file$at"
  done
  as_git -C "$repo" add .
  as_git -C "$repo" commit -qm base
}

# cpu_of NAME: the median of the processor time of a command that `timed` has run, in ms.
cpu_of() {
  awk -F, -v name="$1" 'NR > 1 && $1 == name { print ($5 + $6) * 1000 }' "$here/csv" >"$here/cpu"
  sort -g "$here/cpu" | awk '{ all[NR] = $1 } END { printf "%.2f", all[int((NR + 1) / 2)] }'
}

claim_cost() {
  local rounds=$1 at pane ours theirs
  local -a all=()
  work_repository claims
  cd "$repo" || return
  pane=$(tmux -S "$socket" list-panes -a -F '#{pane_id}' | head -n 1)
  as_sesh "$pane" "$built/sesh-work" claim first >/dev/null
  for ((at = 0; at < rounds; at++)); do
    all+=(-n claim "$(quoted "$built/sesh-work" claim "item$at")")
    all+=(-n git 'git rev-parse HEAD')
  done
  TMUX=$socket,$server,0 TMUX_PANE=$pane HOME=$here GIT_CONFIG_NOSYSTEM=1 timed "${all[@]}"
  ours=$(cpu_of claim) theirs=$(cpu_of git)
  printf '  processor time of a claim: %s ms; of git rev-parse: %s ms\n' "$ours" "$theirs"
  over 'a claim without worktree, in times of git rev-parse (processor time)' \
    "$(awk -v ours="$ours" -v theirs="$theirs" 'BEGIN { printf "%.2f", ours / theirs }')" 6
  cd "$OLDPWD" || return
}

# claimants COUNT EACH: that many of ours at once, and as many by commit and push, each in a clone of its own. One that lost
# the race takes what is new and pushes again.
claimants() {
  local count=$1 each=$2 at begun ours theirs pane
  local -a pids=()
  work_repository "many$count"
  as_git clone -q --bare "$repo" "$here/many$count.git"
  for ((at = 0; at < count; at++)); do
    as_git clone -q "$here/many$count.git" "$here/clone$count-$at"
    inside "$built/sesh-new" "many$count-$at" -- cat >/dev/null
    pane=$(tmux -S "$socket" list-panes -a -f "#{==:#{@sesh_name},many$count-$at}" -F '#{pane_id}')
    cat >"$here/ours$count-$at" <<END
cd '$repo'
for item in $(seq -s ' ' "$each"); do '$built/sesh-work' claim "of-$at-\$item" >/dev/null || exit; done
END
    cat >"$here/theirs$count-$at" <<END
cd '$here/clone$count-$at'
for item in $(seq -s ' ' "$each"); do
  echo "sesh $at" >"of-$at-\$item"
  git add . && git commit -qm "claim of-$at-\$item"
  until git push -q 2>/dev/null; do git pull -q --rebase 2>/dev/null; done
done
END
    as_sesh_words "$pane"
    printf '%s\n' "$(quoted "${around[@]}" bash "$here/ours$count-$at")" >"$here/run$count-$at"
  done
  begun=$EPOCHREALTIME
  for ((at = 0; at < count; at++)); do
    bash "$here/run$count-$at" &
    pids+=($!)
  done
  wait "${pids[@]}"
  ours=$(since "$begun" "$EPOCHREALTIME")
  pids=()
  begun=$EPOCHREALTIME
  for ((at = 0; at < count; at++)); do
    env HOME="$here" GIT_CONFIG_NOSYSTEM=1 bash "$here/theirs$count-$at" &
    pids+=($!)
  done
  wait "${pids[@]}"
  theirs=$(since "$begun" "$EPOCHREALTIME")
  if [ "$(wc -l <"$repo/.git/sesh/work.jsonl")" -lt $((count * each)) ]; then
    echo "bench: claims are missing in the ledger" >&2
    exit 1
  fi
  printf '  %s at once: %s ms for a claim; %s ms by commit and push; times as many in a second: %s\n' "$count" \
    "$(awk -v all="$ours" -v n=$((count * each)) 'BEGIN { printf "%.1f", all / n }')" \
    "$(awk -v all="$theirs" -v n=$((count * each)) 'BEGIN { printf "%.1f", all / n }')" \
    "$(awk -v ours="$ours" -v theirs="$theirs" 'BEGIN { printf "%.1f", theirs / ours }')"
  over "$count who claim at once: the time of a claim in hundredths of commit and push" \
    "$(awk -v ours="$ours" -v theirs="$theirs" 'BEGIN { printf "%.1f", 100 * ours / theirs }')" 10
}

landing_cost() {
  local rounds=$1 at pane way branch
  local -a our_lines=() their_lines=() around=()
  work_repository landing
  cd "$repo" || return
  as_git config sesh.check true
  pane=$(tmux -S "$socket" list-panes -a -F '#{pane_id}' | head -n 1)
  as_sesh_words "$pane"
  for ((at = 0; at <= rounds; at++)); do
    for way in ours theirs; do
      branch=$way$at
      as_git checkout -q -b "$branch" main
      echo "$branch" >"$branch"
      as_git add "$branch"
      as_git commit -qm "$branch"
    done
  done
  as_git checkout -q main
  # The first one makes the tree of the gate.
  as_sesh "$pane" "$built/sesh-land" ours0 >/dev/null
  for ((at = 1; at <= rounds; at++)); do
    our_lines+=("$(quoted "${around[@]}" "$built/sesh-land" "ours$at")")
    their_lines+=("$(quoted "${around[@]}" sh -c "git merge -q --squash theirs$at && git commit -qm theirs$at")")
  done
  tmuxes=- processes=-
  write_row 'sesh-land / squash and commit' 8 our_lines their_lines 1
  cd "$OLDPWD" || return
}

# until_said WORD...: how long it takes until a command has printed something, in ms.
until_said() {
  local begun=$EPOCHREALTIME pid
  exec 9< <(exec "$@" 2>/dev/null)
  pid=$!
  read -r -n 1 -u 9 _ || true
  since "$begun" "$EPOCHREALTIME"
  kill "$pid" 2>/dev/null || true
  exec 9<&-
}

board_cost() {
  local rounds=$1 at pane ours theirs whole
  work_repository board
  cd "$repo" || return
  mkdir .sesh
  {
    printf '{"version": 1, "items": [{"id": "item1", "paths": ["part1/**"]}'
    for ((at = 2; at <= 500; at++)); do
      printf ',\n{"id": "item%s", "title": "what is to be done %s", "paths": ["part%s/**"], "dependsOn": [%s]}' "$at" "$at" \
        "$at" "$([ "$at" -lt 100 ] || echo "\"item$((at - 50))\"")"
    done
    printf ']}\n'
  } >.sesh/work.json
  as_git add .sesh
  as_git commit -qm registry
  for ((at = 1; at <= 10; at++)); do
    inside "$built/sesh-new" "worker$at" -- cat >/dev/null
    pane=$(tmux -S "$socket" list-panes -a -f "#{==:#{@sesh_name},worker$at}" -F '#{pane_id}')
    as_sesh "$pane" "$built/sesh-work" claim "item$at" --worktree "$here/worktree$at" >/dev/null
    echo "more $at" >>"$here/worktree$at/part1/file1"
    as_git -C "$here/worktree$at" commit -qam "work $at"
    echo "dirty $at" >>"$here/worktree$at/part2/file2"
  done
  : >"$here/ours"
  : >"$here/theirs"
  : >"$here/whole"
  for ((at = 0; at < rounds; at++)); do
    until_said env HOME="$here" "$built/sesh-work" -S "$socket" --watch >>"$here/ours"
    until_said env HOME="$here" git rev-parse HEAD >>"$here/theirs"
    until_said env HOME="$here" "$built/sesh-work" -S "$socket" >>"$here/whole"
  done
  ours=$(median "$here/ours") theirs=$(median "$here/theirs") whole=$(median "$here/whole")
  printf '  the board of 500 items and 10 worktrees: first paint %s ms, with the real diffs %s ms; git rev-parse: %s ms\n' \
    "$ours" "$whole" "$theirs"
  over 'the first paint of the board, in times of git rev-parse' \
    "$(awk -v ours="$ours" -v theirs="$theirs" 'BEGIN { printf "%.1f", ours / theirs }')" 20
  cd "$OLDPWD" || return
}

bench_work() {
  local rounds=$1
  command -v git >/dev/null || { echo 'work is not measured: there is no git' >&2; return; }
  printf '[user]\nname = bench\nemail = bench@example.org\n' >"$here/.gitconfig"
  # shellcheck disable=SC2059 # the row is ours
  printf "\n$row" panes 'work' 'helper ms' 'git ms' ratio limit tmux processes '' ''
  start_server work
  claim_cost "$rounds"
  claimants 1 "$rounds"
  claimants 4 "$rounds"
  landing_cost "$rounds"
  start_server shown
  board_cost "$rounds"
}
