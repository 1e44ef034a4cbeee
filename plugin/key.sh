#!/bin/sh
# key.sh ACTION CLIENT PANE-NUMBER [BIN]: what a key or a line of the menu does. A helper's own sentence goes to the
# client whose key it was; no text from outside is ever part of a command here.
dir=$(cd -- "${0%/*}/.." && pwd -P) || exit 0
. "$dir/plugin/lib.sh"
action=$1 client=$2 number=$3 bin=$4
pane=%$number

# say SENTENCE: to that client. 3.2a takes no client here; it shows it to the one that was used last.
say() {
  sentence=$(word "$(shown "$1")")
  tmux -u display-message -c "$client" -d 5000 -- "$sentence" >/dev/null 2>&1 ||
    tmux -u display-message -d 5000 -- "$sentence" >/dev/null 2>&1
}

# brief NAME ERRORS: the error of a helper for a status line of 80 columns: without the helper's name, the flag and --help,
# and cut at a word where it is longer. Warnings come before the error.
brief() {
  printf '%s\n' "$2" | sed -n "\$ { s/^$1: //; s/^--[a-z]*:* //; s/;* $1 --help .*//; p; }" |
    awk 'length($0) > 79 { $0 = substr($0, 1, 76); sub(/ [^ ]*$/, ""); $0 = $0 "..." } { print }'
}

# helper NAME ARGUMENT...: runs it, and says what it says when it fails.
helper() {
  name=$1
  shift
  if ! [ -x "$bin/$name" ]; then
    sentence=$(ask '#{@seshplugin_trouble}')
    if [ -z "$sentence" ]; then
      sentence="sesh: no helpers in ${bin:-any folder}, $(by_hand)"
      [ -n "$bin" ] && ! [ -x "$bin/sesh-list" ] && trouble "$sentence"
    fi
    say "$sentence"
    return 1
  fi
  if errors=$("$bin/$name" "$@" 2>&1 >/dev/null </dev/null); then
    return 0
  fi
  say "$(brief "$name" "${errors:-it failed}")"
  return 1
}

# What was typed at the prompt. It came by a buffer, so that no command ever held it, and which every version writes out
# as it is. Nothing makes no buffer.
typed() {
  text=$(tmux -u save-buffer -b "sesh-typed-$number" - 2>/dev/null)
  tmux -u delete-buffer -b "sesh-typed-$number" 2>/dev/null
}

# set_typed FLAG: what was typed, as the value of a flag of sesh-set.
set_typed() {
  typed
  helper sesh-set "$pane" "$1=$text"
}

# quoted TEXT: as one word of a shell, whichever it is.
quoted() {
  printf "'"
  printf '%s' "$1" | sed "s/'/'\\\\''/g"
  printf "'"
}

# room: how many columns and rows that client has, in $columns and $rows.
room() {
  size=$(tmux -u list-clients -F '#{client_name} #{client_width} #{client_height}' |
    CLIENT=$client awk '$1 == ENVIRON["CLIENT"] { print $2, $3; exit }')
  size=${size:-0 0}
  columns=${size% *} rows=${size#* }
}

# popup ACTION: comes back here in a popup of that client, all of a small one. tmux expands nothing in what a popup runs.
popup() {
  room
  across=90% down=85%
  [ "$columns" -lt 120 ] && across=100%
  [ "$rows" -lt 36 ] && down=100%
  command tmux -u display-popup -c "$client" -t "$pane" -x C -y C -w "$across" -h "$down" -E \
    "exec $(quoted "$dir/plugin/key.sh") $1 $client $number $(quoted "$bin")" >/dev/null 2>&1 </dev/null || :
}

# until_read: a popup goes with what runs in it.
until_read() {
  printf '\n%s' 'Enter closes this'
  read -r _
}

# pick: which picker it is, the person says. tmux's own needs no popup.
pick() {
  if [ "$(ask '#{@sesh-picker}')" = tree ]; then
    helper sesh-enter --client "$client"
  elif [ -x "$bin/sesh-enter" ]; then
    popup picker
  else
    helper sesh-enter
  fi
}

# board: who works on which item, in the repository of this pane. It follows what happens until a line is typed.
board() {
  folder=$(ask_pane '#{pane_current_path}')
  if cd -- "$folder"; then
    "$bin/sesh-work" --watch </dev/null &
    read -r _
    kill "$!" 2>/dev/null
  else
    until_read
  fi
}

# new_here: a sesh in this pane's folder, by the name that was typed, and that client there.
new_here() {
  typed
  folder=$(ask_pane '#{pane_current_path}')
  set -- --window --json ${folder:+--cwd "$folder"}
  [ -n "$text" ] && set -- "$@" "$text"
  [ -x "$bin/sesh-new" ] || {
    helper sesh-new
    return
  }
  # Nobody else's environment tells where here is.
  if made=$(TMUX_PANE=$pane "$bin/sesh-new" "$@" 2>&1 </dev/null); then
    made=$(printf '%s' "$made" | sed -n 's/.*"uuid": *"\([0-9a-f-]*\)".*/\1/p' | sed -n 1p)
    helper sesh-enter "$made" --client "$client"
  else
    say "$(brief sesh-new "${made:-it failed}")"
  fi
}

# then_run ACTION: the tmux command that comes back here. What stands in it is ours: a number, and a client whose name
# was looked at; the folders are expanded by run-shell alone.
then_run() {
  printf '%s' "run-shell -b \"#{E:@seshplugin_key_job}key.sh $1 $client $number #{q:@seshplugin_bin}\""
}

# prompt WORD...: a prompt for that client, without waiting for its answer. 3.2a never waits, and knows no -b.
prompt() {
  prompt_kind=$1
  shift
  tmux -u "$prompt_kind" -b -t "$client" "$@" 2>/dev/null || tmux -u "$prompt_kind" -t "$client" "$@"
}

# asks PROMPT INITIAL ACTION: in %%% tmux escapes what would leave the quotes.
asks() {
  prompt command-prompt -p "$(shown "$1")" -I "$(shown "$2")" \
    "set-buffer -b sesh-typed-$number \"%%%\" ; $(then_run "$3")"
}

# confirms PROMPT ACTION: from 3.3 on tmux expands the command of this prompt once more.
confirms() {
  case $(ask '#{version}') in
    3.2*) then=$(then_run "$2") ;;
    *) then=$(then_run "$2" | sed 's/#/##/g') ;;
  esac
  prompt confirm-before -p "$(shown "$1") (y/n)" "$then"
}

menu() {
  if [ -z "$(ask_pane '#{@sesh_id}')" ]; then
    items ' not a sesh ' 'Adopt as a sesh' a ask-adopt
  elif [ -z "$(ask_pane '#{@sesh_archived}')" ]; then
    items_of_sesh 'Archive' archive
  else
    items_of_sesh 'Unarchive' unarchive
  fi
}

# A menu is as wide as its title.
# shellcheck disable=SC2016 # tmux expands it
items_of_sesh() {
  items ' #{=/24/...:#{q/h:@sesh_name}} ' \
    '-#{?@sesh_exit,exited,#{@sesh_state}#{?@sesh_why, #{@sesh_why},}} #{E:@seshpart_age}' '' '' \
    'Explain' w explain 'Rename' r ask-rename 'Add a tag' t ask-tag 'Remove a tag' T ask-untag \
    'Note' n ask-note "$1" a "$2" 'Copy its text' c copy 'End' x ask-end 'End and forget' X ask-forget
}

# items TITLE NAME KEY ACTION...: menus expand the command of an item once more than prompts do. tmux shows none where
# there is no room for all of it, and does not say so. Pending restores have an item in every menu.
items() {
  title=$1 needed=2
  shift
  [ -z "$(ask '#{@seshsum_lost}')" ] ||
    set -- "$@" 'Restore what was alive' R restore
  left=$#
  while [ "$left" -gt 0 ]; do
    set -- "$@" "$1" "$2" "$(then_run "$3" | sed 's/#/##/g')"
    shift 3
    left=$((left - 3)) needed=$((needed + 1))
  done
  room
  if [ "$columns" -lt 36 ] || [ "$rows" -lt "$needed" ]; then
    say "sesh: no room for the menu: it needs 36 columns and $needed rows"
    return
  fi
  command tmux -u display-menu -c "$client" -t "$pane" -T "$title" -x P -y P -- "$@"
}

case $client in
  '' | *[!A-Za-z0-9/_.:-]*) exit 0 ;;
esac
case $number in
  '' | *[!0-9]*) exit 0 ;;
esac
use_login_path
case $action in
  enter) pick ;;
  picker)
    "$bin/sesh-enter" --client "$client"
    case $? in
      0 | 130) ;;
      *) until_read ;;
    esac
    ;;
  last) helper sesh-enter --last --client "$client" ;;
  new) asks 'name of the new sesh (empty: generated):' '' new-here ;;
  new-here) new_here ;;
  work) if [ -x "$bin/sesh-work" ]; then popup board; else helper sesh-work; fi ;;
  board) board ;;
  explain) popup explained ;;
  explained)
    "$bin/sesh-explain" "$pane"
    until_read
    ;;
  next) helper sesh-enter --next --client "$client" ;;
  menu) if [ -x "$bin/sesh-set" ]; then menu; else helper sesh-set; fi ;;
  adopt-here | ask-adopt) asks 'name of the sesh (empty: generated):' '' adopt ;;
  ask-rename) asks 'new name:' "$(ask_pane '#{@sesh_name}')" rename ;;
  ask-tag) asks 'tag:' '' tag ;;
  ask-untag) asks 'tag to remove:' '' untag ;;
  ask-note) asks 'note (empty: none):' '' note ;;
  ask-end) confirms "end $(ask_pane '#{@sesh_name}')?" end ;;
  ask-forget) confirms "end and forget $(ask_pane '#{@sesh_name}')?" forget ;;
  adopt)
    typed
    if [ -n "$text" ]; then
      helper sesh-adopt "$pane" --name "$text"
    else
      helper sesh-adopt "$pane"
    fi
    ;;
  rename) set_typed --name ;;
  tag) set_typed --tag ;;
  untag) set_typed --untag ;;
  note) set_typed --note ;;
  archive) helper sesh-set "$pane" --archive && say 'sesh: archived' ;;
  unarchive) helper sesh-set "$pane" --unarchive && say 'sesh: unarchived' ;;
  copy) tmux -u capture-pane -J -S - -b sesh -t "$pane" && say 'sesh: text copied to the buffer "sesh"' ;;
  restore)
    say 'sesh: restoring what was alive when tmux died ...'
    helper sesh-restore --last-alive && say 'sesh: restored what was alive when tmux died'
    ;;
  end) helper sesh-end "$pane" ;;
  forget) helper sesh-end "$pane" --forget ;;
esac
exit 0
