# shellcheck shell=bash
# What the commands in this folder need and a machine may not have. Sourced by them.
#
#   need PROGRAM...   each program is there afterwards, or one sentence says how to get it (and it returns 1)
#
# Installs with the system's package manager, and only when that asks for no password.

# A Rust that was installed a minute ago is not on PATH before the next login.
if ! command -v cargo >/dev/null && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
  PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
fi

need() {
  local program missing=0
  for program; do
    command -v "$program" >/dev/null || install_program "$program" || missing=1
  done
  return "$missing"
}

install_program() {
  local program=$1 manager
  if [ "$program" = cargo ]; then
    echo "cargo is missing: install Rust 1.89 or newer, with rustup for one" >&2
    return 1
  fi
  manager=$(package_manager) || {
    echo "$program is missing: install it, then run this again (no package manager is known here)" >&2
    return 1
  }
  local as_root="" update="" words said=""
  if [ "$manager" != brew ] && [ "$(id -u)" -ne 0 ]; then
    as_root="sudo "
  fi
  words="$as_root$(install_words "$manager") $(package_of "$program" "$manager")"
  if [ -n "$as_root" ] && ! sudo -n true 2>/dev/null; then
    echo "$program is missing; this would install it: $words" >&2
    return 1
  fi
  if [ "$manager" = apt-get ]; then
    update="${as_root}apt-get update"
  fi
  echo "+ $words" >&2
  if ! quietly "$words" && ! { [ -n "$update" ] && quietly "$update" && quietly "$words"; } ||
    ! command -v "$program" >/dev/null; then
    echo "$said" >&2
    echo "$program is missing and could not be installed; this was tried: $words" >&2
    return 1
  fi
}

# Runs words that this file wrote, and adds what they say to $said: installers talk much.
quietly() {
  local output status=0
  # shellcheck disable=SC2086 # they are to be split
  output=$(DEBIAN_FRONTEND=noninteractive command $1 2>&1 </dev/null) || status=$?
  said+=$output$'\n'
  return "$status"
}

package_manager() {
  local manager
  for manager in apt-get dnf pacman apk zypper brew; do
    if command -v "$manager" >/dev/null; then
      echo "$manager"
      return
    fi
  done
  return 1
}

install_words() {
  case $1 in
    apt-get) echo apt-get install -y -qq --no-install-recommends ;;
    dnf) echo dnf install -y -q ;;
    pacman) echo pacman -S --noconfirm --needed ;;
    apk) echo apk add --quiet ;;
    zypper) echo zypper --non-interactive --quiet install ;;
    brew) echo brew install --quiet ;;
  esac
}

# What the program's package is called, where that is not the program's name.
package_of() {
  case $1/$2 in
    cc/apt-get) echo gcc libc6-dev ;;
    cc/apk) echo gcc musl-dev ;;
    cc/*) echo gcc ;;
    nix-instantiate/apt-get) echo nix-bin ;;
    pacman/apt-get) echo makepkg pacman-package-manager ;;
    tpm/apt-get) echo tmux-plugin-manager ;;
    shellcheck/dnf | shellcheck/zypper) echo ShellCheck ;;
    *) echo "$1" ;;
  esac
}
