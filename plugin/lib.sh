# shellcheck shell=sh disable=SC2034,SC2154
# What sesh.tmux and its neighbours have in common. Sourced, with $dir the plugin's folder.

# shellcheck source=plugin/version.sh
. "$dir/plugin/version.sh"
# shellcheck source=plugin/tmux.sh
. "$dir/plugin/tmux.sh"
# shellcheck source=plugin/release.sh
. "$dir/plugin/release.sh"

# The PATH of a login shell is in $login_path. Logs and locks; what may be thrown away; helpers of a plugin whose own folder cannot be written.
state_dir=${XDG_STATE_HOME:-$HOME/.local/state}/tmux-sesh
cache_dir=${XDG_CACHE_HOME:-$HOME/.cache}/tmux-sesh
data_dir=${XDG_DATA_HOME:-$HOME/.local/share}/tmux-sesh
log=$state_dir/build.log failed_build=$state_dir/failed failed_download=$state_dir/failed-download
welcomed=$state_dir/welcomed
login_path=$cache_dir/login-path link_dir=$HOME/.local/bin

newline='
'

# ask FORMAT: what it is, on the server's own terms.
ask() {
  tmux -u display-message -p "$1"
}

# ask_pane FORMAT: what it is for $pane.
ask_pane() {
  tmux -u display-message -p -t "$pane" "$1"
}

# trouble SENTENCE: what the segment and the doctor say; empty when all is well. An equal one is not written: that
# would redraw every client.
trouble() {
  if [ "$(ask '#{@seshplugin_trouble}')" != "$1" ]; then
    tmux -u set-option -s @seshplugin_trouble "$(word "$1")"
  fi
}

# word TEXT: the text as one argument of tmux, which takes a ; at the end for its own.
word() {
  case $1 in
    *\;) printf '%s\\;' "${1%;}" ;;
    *) printf '%s' "$1" ;;
  esac
}

# shown TEXT: the text for an argument that tmux expands: it stays what it is, on one line.
shown() {
  printf '%s' "$1" | tr '\n\t' '  ' | tr -d '\001-\037\177' | sed 's/#/##/g; s/%/%%/g'
}

# tell SENTENCE: once, to whoever looks. Nobody may.
tell() {
  tmux -u display-message -d 5000 -- "$(word "$(shown "$1")")" >/dev/null 2>&1 || :
}

# short PATH: with ~ for the home.
short() {
  case $1 in
    "$HOME"/*) printf '~%s' "${1#"$HOME"}" ;;
    *) printf '%s' "$1" ;;
  esac
}

# at_least VERSION MINIMUM: by their numbers; what has none is not.
at_least() {
  [ "$1" = "$2" ] && return 0
  at_least_a=$1. at_least_b=$2.
  while [ -n "$at_least_b" ]; do
    at_least_x=${at_least_a%%.*} at_least_y=${at_least_b%%.*}
    at_least_x=${at_least_x%%[!0-9]*} at_least_y=${at_least_y%%[!0-9]*}
    [ "${at_least_x:--1}" -gt "${at_least_y:-0}" ] && return 0
    [ "${at_least_x:--1}" -lt "${at_least_y:-0}" ] && return 1
    at_least_a=${at_least_a#*.} at_least_b=${at_least_b#*.}
  done
  return 0
}

# unlink_helpers: removes the links to the plugin's own helpers that path.sh has made.
unlink_helpers() {
  for link in "$link_dir"/tmux-sesh "$link_dir"/sesh-* "$link_dir"/pane-*; do
    case $(readlink "$link") in
      "$dir/bin/${link##*/}" | "$data_dir/bin/${link##*/}") rm -f "$link" ;;
    esac
  done
}

# use_login_path: programs are also found where a login shell finds them, as path.sh has seen it.
use_login_path() {
  if [ -r "$login_path" ] && IFS= read -r of_login <"$login_path"; then
    PATH=$PATH:$of_login
    export PATH
  fi
}

# on_path FOLDER: new panes find the helpers of that folder, and no longer those of an earlier one; without a folder none.
# What a person has put into PATH stays as it is.
on_path() {
  case $1 in
    *:*) return ;;
  esac
  path_now=$(tmux -u show-environment -g PATH 2>/dev/null)
  case $path_now in
    PATH=?*) path_now=${path_now#PATH=} ;;
    *) return ;;
  esac
  path_ours=$(ask '#{@seshplugin_on_path}') path_was=$path_now
  if [ -n "$path_ours" ] && [ "$path_ours" != "$1" ]; then
    # Ours is the last one, unless a person has added more.
    path_now=:$path_now:
    case $path_now in
      *":$path_ours:"*) path_now=${path_now%%":$path_ours:"*}:${path_now#*":$path_ours:"} ;;
    esac
    path_now=${path_now#:} path_now=${path_now%:} path_ours=
  fi
  case :$path_now: in
    *":$1:"*) ;;
    *) path_now=$path_now${1:+:$1} path_ours=$1 ;;
  esac
  [ "$path_now" = "$path_was" ] ||
    tmux -u set-environment -g PATH "$(word "$path_now")" \; set-option -s @seshplugin_on_path "$(word "$path_ours")"
}

# usable FOLDER: it has helpers that are new enough. What they are is in $found_version.
usable() {
  found_version=
  [ -x "$1/sesh-list" ] || return 1
  found_version=$("$1/sesh-list" --version 2>/dev/null </dev/null) || return 1
  found_version=${found_version##* }
  at_least "$found_version" "$minimum"
}

# find_helpers: their folder in $bin, or empty; $wanted_bin is what the person says. What was found and is too old is in $too_old.
find_helpers() {
  bin='' too_old=''
  # shellcheck disable=SC2088 # a ~ in a tmux option is the person's home, and no shell has seen it
  case $wanted_bin in
    '~') wanted_bin=$HOME ;;
    '~/'*) wanted_bin=$HOME/${wanted_bin#'~/'} ;;
  esac
  for candidate in "$wanted_bin" "$dir/bin" "$data_dir/bin"; do
    [ -n "$candidate" ] && consider "$candidate" && return 0
  done
  found_ifs=$IFS IFS=:
  # shellcheck disable=SC2086 # PATH is to be split
  set -f -- $PATH "${CARGO_HOME:-$HOME/.cargo}/bin"
  set +f
  IFS=$found_ifs
  for candidate; do
    case $candidate in
      /*) consider "$candidate" && return 0 ;;
    esac
  done
  return 1
}

consider() {
  if usable "$1"; then
    bin=$(cd -- "$1" && pwd -P) || return 1
    return 0
  fi
  if [ -z "$too_old" ] && [ -n "$found_version" ]; then
    too_old=$1/sesh-list
  fi
  return 1
}

# The cargo of a Rust that was installed with rustup is often on no PATH that tmux has.
find_cargo() {
  cargo=$(command -v cargo) && return 0
  cargo=${CARGO_HOME:-$HOME/.cargo}/bin/cargo
  [ -x "$cargo" ]
}

# Which sources these are: the commit, and nothing where that cannot be known.
sources() {
  git -C "$dir" rev-parse --verify -q HEAD 2>/dev/null || echo "$version"
}

# Whether the plugin's own helpers are of another version than the plugin is, after an update: of another release, or built
# from other sources.
stale() {
  case $bin in
    "$dir/bin" | "$data_dir/bin") ;;
    *) return 1 ;;
  esac
  [ -f "$bin/.sesh-built" ] || return 1
  built_from=$(cat "$bin/.sesh-built")
  case $built_from in
    release*) [ "$built_from" != "release $version" ] || [ "$wanted_install" = cargo ] ;;
    *) [ "$built_from" != "$(sources)" ] ;;
  esac
}

# count_all: gives every sesh the letter by which the sums count it, and writes the sums anew. Those that became one while
# the plugin was not there have no letter. To unset a hook that is never set fires after-set-hook for the pane, and does
# no harm where that is gone.
# shellcheck disable=SC2016 # tmux expands it
count_all() {
  {
    tmux -u list-panes -a -f '#{||:#{@sesh_id},#{@seshsum_letter}}' -F 'set-hook -gu -t #{pane_id} @sesh_none' | sort -u
    echo 'if-shell -F "#{pane_id}" { set-hook -gR after-display-panes }'
  } | tmux -u source-file - >/dev/null 2>&1
}

load() {
  case $dir in
    *"$newline"*) return ;;
  esac
  sentence=''
  {
    read -r wanted_bin
    read -r wanted_install
    read -r key_enter
    read -r key_next
    read -r key_menu
    read -r key_last
    read -r key_new
    read -r key_adopt
    read -r key_work
    read -r bound_keys
    read -r was_trouble
  } <<END
$(ask "#{@sesh-bin}$newline#{@sesh-install}$newline#{@sesh-key-enter}$newline#{@sesh-key-next}$newline\
#{@sesh-key-menu}$newline#{@sesh-key-last}$newline#{@sesh-key-new}$newline#{@sesh-key-adopt}$newline\
#{@sesh-key-work}$newline#{@seshplugin_keys}$newline#{@seshplugin_trouble}")
END
  ways=''
  if ! find_helpers || stale; then
    find_ways
  fi
  mistakes=$(cat "$dir"/tmux.conf.d/*.conf | tmux -u \
    set-option -s @seshplugin_dir "$(word "$dir")" \; \
    set-option -s @seshplugin_bin "$(word "$bin")" \; \
    set-option -s @seshplugin_version "$version" \; \
    set-environment -gh SESH_load "$$" \; \
    source-file - 2>&1) || sentence="sesh: tmux says ${mistakes:-nothing}"
  count_all
  # shellcheck source=plugin/keys.sh
  . "$dir/plugin/keys.sh"
  bind_keys "$bound_keys" "$key_enter" "$key_next" "$key_menu" "$key_last" "$key_new" "$key_adopt" "$key_work"
  [ -z "$bin" ] || with_helpers "$bin"
  if [ -n "$ways" ]; then
    tmux -u run-shell -b "#{E:@seshplugin_job}build.sh"
  elif [ "$sentence" != "$was_trouble" ]; then
    tmux -u set-option -s @seshplugin_trouble "$(word "$sentence")"
  fi
}

# by_hand: what a person can do without helpers, as the end of a sentence. A package of the plugin has nothing to build them.
by_hand() {
  if [ -x "$dir/bin/install" ]; then
    printf 'run %s' "$(short "$dir/bin/install")"
  else
    printf 'install the package tmux-sesh again'
  fi
}

# find_ways: how the helpers can be obtained here, as @sesh-install in $wanted_install says: $ways has the words `release`
# and `cargo`, or nothing. The address of the release archives is then in $address. Without helpers and without a way,
# $sentence says what a person can do. What failed is not tried again and again: a build of the same sources never, a download
# that would replace helpers that work an hour later.
find_ways() {
  ways=''
  if [ -z "$bin" ]; then
    sentence="sesh: no helpers, $(by_hand)"
    if [ -n "$too_old" ]; then
      sentence="sesh: $(short "$too_old") is older than $minimum, $(by_hand)"
    fi
  fi
  [ -x "$dir/bin/install" ] || return
  case $wanted_install in
    off | no | 0) return ;;
  esac
  if [ "$wanted_install" != cargo ] && address=$(release_address "$(option @sesh-release-url)"); then
    [ -n "$bin" ] && [ "$(cat "$failed_download" 2>/dev/null)" = "$address" ] &&
      [ -n "$(find "$failed_download" -mmin -60)" ] || ways=release
  fi
  if [ "$wanted_install" != release ] && find_cargo; then
    if [ "$(cat "$failed_build" 2>/dev/null)" != "$(sources)" ]; then
      ways="$ways cargo"
    else
      [ -n "$bin" ] || sentence="sesh: the build failed, see $(short "$log")"
    fi
  fi
}

# with_helpers FOLDER: what is done once the helpers are known: for new panes, for the keys, and for the first client
# that is or becomes attached in the life of this home, which sees what to do first.
with_helpers() {
  on_path "$1"
  tmux -u run-shell -b "#{E:@seshplugin_job}path.sh #{q:@seshplugin_bin}"
  [ -e "$welcomed" ] ||
    tmux -u set-hook -g 'client-attached[8802]' 'run-shell -b "#{E:@seshplugin_job}welcome.sh"' \; \
      run-shell -b '#{E:@seshplugin_job}welcome.sh'
}
