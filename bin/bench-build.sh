# shellcheck shell=bash disable=SC2154
# What the build and the release cost, for bin/bench: our crate with its sixteen codegen units against one, and the archive.
#
#   build_cost ROUNDS   prints the section; sets $exceeded higher when a limit is

# builds OPTION...: builds our crate and its programs anew, on dependencies that are there; in milliseconds.
builds() {
  local before
  touch src/lib.rs
  before=$EPOCHREALTIME
  "${build[@]}" --quiet --bins "$@"
  since "$before" "$EPOCHREALTIME"
}

build_cost() {
  local rounds=$1 round one ours archive bytes
  : >"$here/ratios" && : >"$here/one" && : >"$here/ours"
  for ((round = 0; round < rounds; round++)); do
    one=$(builds --config profile.release.package.tmux-sesh.codegen-units=1)
    ours=$(builds)
    echo "$one" >>"$here/one"
    echo "$ours" >>"$here/ours"
    awk -v ours="$ours" -v one="$one" 'BEGIN { printf "%.3f\n", ours / one }' >>"$here/ratios"
  done
  printf '\n%s\n' "cargo build --release of our crate alone, and a release (median of $rounds)"
  printf '  with one codegen unit: %s s; as it is: %s s\n' \
    "$(awk -v ms="$(median "$here/one")" 'BEGIN { printf "%.1f", ms / 1000 }')" \
    "$(awk -v ms="$(median "$here/ours")" 'BEGIN { printf "%.1f", ms / 1000 }')"
  over 'as it is, against one codegen unit' "$(sort -g "$here/ratios" | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }')" 0.6
  archive=$(bin/dist "$here/dist" | tail -n 1)
  bytes=$(wc -c <"$archive")
  over 'the archive of bin/dist, in MB' "$(awk -v bytes="$bytes" 'BEGIN { printf "%.1f", bytes / 1000000 }')" 4
}
