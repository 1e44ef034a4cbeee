# shellcheck shell=sh disable=SC2034,SC2154
# The release archive for this machine: its name, its address and its download. Sourced after version.sh and tmux.sh, with
# $dir the folder of the plugin.

# archive_name MACHINE: prints the name of the archive for this system on that kind of machine, as `uname -m` prints it.
archive_name() {
  case $1 in
    amd64) machine=x86_64 ;;
    arm64) machine=aarch64 ;;
    *) machine=$1 ;;
  esac
  printf 'tmux-sesh-%s-%s-%s.tar.gz' "$version" "$(uname -s | tr '[:upper:]' '[:lower:]')" "$machine"
}

# release_address WANTED: prints the address of the folder with the archives of this version. WANTED is the value of
# @sesh-release-url, in which {version} stands for the version. Without it, the address is that of the release at GitHub, if
# the plugin was cloned from there. Fails if there is no address.
release_address() {
  if [ -n "$1" ]; then
    wanted_address=${1%/}
    while :; do
      case $wanted_address in
        *'{version}'*) wanted_address=${wanted_address%%'{version}'*}$version${wanted_address#*'{version}'} ;;
        *) break ;;
      esac
    done
    printf '%s' "$wanted_address"
    return
  fi
  # Not the remote of a repository that only contains the plugin.
  [ -e "$dir/.git" ] || return 1
  origin=$(git -C "$dir" remote get-url origin 2>/dev/null) || return 1
  case $origin in
    https://github.com/* | ssh://github.com/*) repository=${origin#*://github.com/} ;;
    # TPM clones from https://git::@github.com/OWNER/REPOSITORY.
    https://git*@github.com/* | ssh://git@github.com/*) repository=${origin#*@github.com/} ;;
    git@github.com:*) repository=${origin#*:} ;;
    *) return 1 ;;
  esac
  repository=${repository%/}
  printf 'https://github.com/%s/releases/download/v%s' "${repository%.git}" "$version"
}

# download COMMAND ADDRESS FILE: downloads to the file. COMMAND is the value of @sesh-download, a command of the shell that
# finds the address in $SESH_URL and the file in $SESH_FILE; without one, curl or wget is used. What the command prints goes
# to standard error.
download() {
  download_command=$1
  # shellcheck disable=SC2016 # the other shell expands it
  if [ -n "$download_command" ]; then
    :
  elif command -v curl >/dev/null; then
    download_command='curl -fsSL --connect-timeout 20 --retry 2 -o "$SESH_FILE" --url "$SESH_URL"'
  elif command -v wget >/dev/null; then
    download_command='wget -T 20 -O "$SESH_FILE" -- "$SESH_URL"'
  else
    echo 'there is neither curl nor wget' >&2
    return 1
  fi
  (
    # A download that hangs must not keep the next ones from their turn.
    answer_limit=600
    SESH_URL=$2 SESH_FILE=$3
    export SESH_URL SESH_FILE
    limit sh -c "$download_command" </dev/null >&2
  )
}
