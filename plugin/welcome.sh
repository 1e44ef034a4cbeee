#!/bin/sh
# welcome.sh: tells a client, once in the life of this home, three keys and what to run first. A load starts it, as the end of
# a download does; without a client the hook client-attached[8802] starts it again, until one has seen it.
dir=$(cd -- "${0%/*}/.." && pwd -P) || exit 0
. "$dir/plugin/lib.sh"
. "$dir/plugin/keys.sh"
exec </dev/null >/dev/null 2>&1
umask 077

# The client that was used last. One in control mode shows nothing.
used_last() {
  tmux -u list-clients -F '#{?client_control_mode,,#{client_activity} #{client_name}}' | sort -rn | sed -n 's/^[0-9]* //p' |
    sed -n 1p
}

client=$(used_last)
[ -n "$client" ] || exit 0

# A plugin manager shows what it has done over the pane: the key that closes it would close the message too.
tries=0
while [ "$tries" -lt 60 ]; do
  mode=$(tmux -u list-clients -F '#{client_name} #{pane_mode}' | sed -n "s|^$client ||p")
  [ "$mode" = view-mode ] || break
  tries=$((tries + 1))
  sleep 1 # why: the end of a mode of one pane has no event that costs nothing
done

# key_of ACTION: the first key that does it, as it is typed, of those that the plugin has bound.
key_of() {
  printf '%s\n' "$keys" | awk -v action="key.sh $1 " -v ours="$ours" "$read_key"'
    index($0, action) { does[in_table " " key] = 1 }
    END {
      count = split(ours, word, " ")
      for (i = 1; i < count; i += 2)
        if ((word[i] " " word[i + 1]) in does) {
          print (word[i] == "root" ? "" : word[i] " ") word[i + 1]
          exit
        }
    }'
}

keys=$(tmux -u list-keys) ours=$(ask '#{@seshplugin_keys}')
list='' with_prefix=1
for pair in enter=picker next=next new=new; do
  key=$(key_of "${pair%%=*}")
  [ -n "$key" ] || continue
  case $key in
    'prefix '*) ;;
    *) with_prefix='' ;;
  esac
  list="$list${list:+, }$key ${pair#*=}"
done
# On a line of 80 columns there is no room to say it three times.
[ -z "$with_prefix" ] || [ -z "$list" ] || list="prefix $(printf '%s' "$list" | sed 's/prefix //g')"

# Of several at once one alone makes the file.
mkdir -p "$state_dir" && (set -C && : >"$welcomed") || exit 0
tmux -u set-hook -gu 'client-attached[8802]'
# Panes that were there before do not find the helpers.
sentence=$(word "$(shown "sesh: ${list:+$list. }New pane: sesh-hooks install, sesh-doctor")")
tmux -u display-message -c "$client" -d 10000 -- "$sentence" || tmux -u display-message -d 10000 -- "$sentence"
exit 0
