#!/bin/sh
# Obtains the helpers, once, in the background: from a release archive, else with cargo, as @sesh-install says. sesh.tmux
# starts it through run-shell, which does not wait. The segment shows the progress. A failure leaves the helpers that are there
# as they are, is reported once, and its log is kept.
dir=$(cd -- "${0%/*}/.." && pwd -P) || exit 0
. "$dir/plugin/lib.sh"
# The helpers are of use without the server's answer too.
silent_server=stay
exec </dev/null >/dev/null 2>&1

umask 077
lock=$state_dir/build.lock
mkdir -p "$state_dir"
# One at a time: a folder is made by one alone. That of a process that is gone is taken over.
if ! mkdir "$lock"; then
  if ! [ -d "$lock" ]; then
    trouble "sesh: $(short "$state_dir") cannot be written"
    exit 0
  fi
  holder=$(cat "$lock/pid")
  if [ -z "$holder" ]; then
    # Made this moment, or its maker died between two steps.
    [ -n "$(find "$lock" -prune -mmin +1)" ] || exit 0
  elif kill -0 "$holder"; then
    exit 0
  fi
  # Moved away, so that of several who saw it one alone takes it over.
  mv "$lock" "$lock.$$" && rm -rf "$lock.$$" && mkdir "$lock" || exit 0
fi
# What a download that was killed has left goes with it.
TMPDIR=$cache_dir/download
export TMPDIR
leaves() {
  rm -rf "$TMPDIR"
  rmdir "$cache_dir"
  rm -rf "$lock"
}
trap leaves EXIT
trap 'exit 0' HUP INT TERM
rm -rf "$TMPDIR"
if ! { echo $$ >"$lock/pid" && true >"$log" && mkdir -p "$TMPDIR"; }; then
  trouble "sesh: $(short "$state_dir") or $(short "$cache_dir") cannot be written"
  exit 0
fi

# use FOLDER: the helpers there are the plugin's now. The lock goes first: another load may have found no helpers a moment ago
# and written that. If its build.sh still finds the lock, what follows here comes later and counts; else it finds the helpers.
use() {
  trap - EXIT
  leaves
  tmux -u set-option -s @seshplugin_bin "$(word "$1")"
  trouble ''
  with_helpers "$1"
  exit 0
}

# have FROM: they are in $place, and this is what they were made from.
have() {
  echo "$1" >"$place/.sesh-built"
  rm -f "$failed_build" "$failed_download"
  use "$place"
}

# progress SENTENCE: in the segment, unless there are helpers meanwhile.
progress() {
  [ -n "$had" ] || trouble "$1"
}

wanted_bin=$(ask '#{@sesh-bin}') wanted_install=$(ask '#{@sesh-install}')
from=$(sources)
find_helpers
had=$bin
if [ -n "$had" ] && ! stale; then
  # Another load has obtained them while this waited for its turn.
  use "$had"
fi
sentence=''
find_ways

# The plugin's own folder, or, where that cannot be written, one in the home.
place=$dir/bin
[ -w "$place" ] || place=$data_dir/bin

download_helpers() {
  progress 'sesh: downloading the helpers'
  "$dir/bin/install" --to "$place" --release --url "$address" --download "$(option @sesh-download)" >>"$log" 2>&1
}

build_helpers() {
  progress 'sesh: building the helpers'
  all=$(grep -c '^name = ' "$dir/Cargo.lock")
  done_count=0 said=0 status=1
  {
    PATH=${cargo%/*}:$PATH "$dir/bin/install" --to "$place" --target-dir "$cache_dir/target" 2>&1
    echo "exit $?"
  } | {
    while IFS= read -r line; do
      case $line in
        'exit '*) status=${line#exit } ;;
        *) printf '%s\n' "$line" >>"$log" ;;
      esac
      case $line in
        *Compiling\ *)
          done_count=$((done_count + 1))
          # A word in the segment redraws every client: a few are enough.
          if [ $((done_count - said)) -ge 10 ]; then
            said=$done_count
            progress "sesh: building the helpers ($done_count of $all)"
          fi
          ;;
      esac
    done
    [ "$status" = 0 ]
  }
}

is_news=''
case $ways in
  *release*)
    download_helpers && have "release $version"
    what='no helpers'
    [ -z "$had" ] || what='the helpers are not updated'
    sentence="sesh: $what: $(sed -n '${ s/^install: //; p; }' "$log" | cut -c 1-200)"
    [ "$(cat "$failed_download")" = "$address" ] || is_news=1
    echo "$address" >"$failed_download"
    ;;
esac
case $ways in
  *cargo*)
    build_helpers && have "$from"
    echo "$from" >"$failed_build"
    sentence="sesh: the build failed, see $(short "$log")" is_news=1
    ;;
esac
progress "$sentence"
[ -z "$is_news" ] || tell "$sentence"
