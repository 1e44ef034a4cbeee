//! What packages are made of: that they name this version, hold all files, and build where their tools are installed.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use pretty_assertions::assert_eq;
use tmux_sesh::cli::TOOLS;

use crate::support::{Server, program, say, soak};

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).expect("a file")
}

/// What a package installs, by `bin/install` with a stand-in for the program.
fn installed(server: &Server) -> PathBuf {
    let prefix = server.path("package");
    let built = server.path("built");
    server.program_file(&built, &program(VERSION));
    server
        .call(&root().join("bin/install"))
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin", prefix.join("bin").display()),
        )
        .args([
            "--with-plugin".as_ref(),
            "--prefix".as_ref(),
            prefix.as_os_str(),
        ])
        .args(["--program".as_ref(), built.as_os_str()])
        .ok();
    prefix
}

/// The files below a folder, from there on.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).expect("below it").to_path_buf());
            }
        }
    }
    found
}

#[test]
fn they_name_this_version() {
    assert!(read("plugin/packaging/PKGBUILD").contains(&format!("\npkgver={VERSION}\n")));
    let formula = read("plugin/packaging/tmux-sesh.rb");
    assert!(
        formula.contains(&format!("/v{VERSION}.tar.gz")),
        "{formula}"
    );
    assert!(read("plugin/packaging/flake.nix").contains("manifest.package.version"));
}

#[test]
fn a_release_fills_them_in() {
    let server = Server::empty();
    let archive = server.path("source.tar.gz");
    std::fs::write(&archive, "source").expect("a file");
    let to = server.path("filled");
    let fill = |owner: &str| {
        let fill = server.call(&root().join("plugin/packaging/fill"));
        fill.args([owner.as_ref(), archive.as_os_str(), to.as_os_str()])
    };
    fill("some-body").ok();
    for name in ["tmux-sesh.rb", "PKGBUILD"] {
        let text = std::fs::read_to_string(to.join(name)).expect("a file");
        // Of the word `source`.
        let sum = "41cf6794ba4200b839c53531555f0f3998df4cbb01a4d5cb0b94e3ca5e23947d";
        assert!(text.contains(sum), "{text}");
        assert!(text.contains("github.com/some-body/tmux-sesh"), "{text}");
        assert!(!text.contains("OWNER"), "{text}");
    }
    for owner in ["", "a b", "a/b", "a'; touch x", "a\nb"] {
        assert!(fill(owner).fails(2).contains("no name"), "{owner}");
    }
}

#[test]
fn an_installation_has_all_that_a_package_needs() {
    let server = Server::empty();
    let prefix = installed(&server);
    let plugin = prefix.join("share/tmux-sesh");
    // Where the plugin is installed, it finds its files.
    for part in ["tmux.conf.d", "plugin"] {
        for entry in std::fs::read_dir(root().join(part)).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name");
            if path.is_file() {
                let there = plugin.join(part).join(name);
                let mode = |path: &Path| {
                    let mode = path.metadata().expect("a file").permissions().mode();
                    mode & 0o111
                };
                assert_eq!(mode(&there), mode(&path), "{}", there.display());
            }
        }
    }
    server.session((80, 24), &["cat"]);
    server.tmux([
        "set-environment",
        "-g",
        "PATH",
        &format!("{}:/usr/bin:/bin", prefix.join("bin").display()),
    ]);
    let load = || {
        let entry = plugin.join("sesh.tmux");
        let said = server.try_tmux(["run-shell".as_ref(), entry.as_os_str()]);
        assert_eq!(said.code(), Some(0), "{said}");
        server.plugin_has_settled();
        server.tmux([
            "display-message",
            "-p",
            "#{@seshplugin_bin} #{@seshplugin_trouble}",
        ])
    };
    assert_eq!(
        load().trim_end(),
        format!("{} ", prefix.join("bin").display()).trim_end()
    );
    // Without helpers it says where they come from, and neither builds nor downloads.
    std::fs::remove_dir_all(prefix.join("bin")).expect("the helpers");
    server.tmux(["set-option", "-g", "@sesh-release-url", "file:///nowhere"]);
    assert_eq!(
        load().trim(),
        "sesh: no helpers, install the package tmux-sesh again"
    );
    // What is taken away again is all of it.
    server
        .call(&root().join("bin/install"))
        .args([
            "--uninstall".as_ref(),
            "--prefix".as_ref(),
            prefix.as_os_str(),
        ])
        .ok();
    assert_eq!(files(&prefix), BTreeSet::new());
}

/// Whether a path is one of those that an asset of the Debian package names.
fn matches(pattern: &str, path: &Path) -> bool {
    let (folder, name) = pattern.rsplit_once('/').expect("a folder");
    let is_there = path.parent() == Some(Path::new(folder));
    let file = path.file_name().expect("a name").to_string_lossy();
    let (start, end) = name.split_once('*').unwrap_or((name, ""));
    is_there
        && file.starts_with(start)
        && file.ends_with(end)
        && (name.contains('*') || file == name)
}

#[test]
fn the_debian_package_leaves_no_file_out() {
    let server = Server::empty();
    let prefix = installed(&server);
    let manifest: toml::Table = read("Cargo.toml").parse().expect("TOML");
    let assets = manifest["package"]["metadata"]["deb"]["assets"]
        .as_array()
        .expect("a list");
    let patterns: Vec<&str> = assets
        .iter()
        .filter_map(|asset| asset[0].as_str()?.strip_prefix("dist/deb/"))
        .collect();
    for file in files(&prefix) {
        let count = patterns.iter().filter(|it| matches(it, &file)).count();
        assert_eq!(count, 1, "{}", file.display());
    }
    assert!(TOOLS.len() > 20 && prefix.join("bin").join(TOOLS[0].name).is_symlink());
}

/// Runs a tool on a copy of the sources, or says that it is not there.
fn with_tool(tool: &str, package: &str, script: &str) {
    if which::which(tool).is_err() {
        return say(&format!("not tested: {tool} is not installed ({package})"));
    }
    let status = std::process::Command::new("/bin/sh")
        .args(["-euc", script])
        .current_dir(root())
        .env_remove("TMUX")
        .status()
        .expect("a shell");
    assert!(status.success(), "{tool}: {status}");
}

#[test]
fn their_tools_take_them() {
    if !soak() {
        return say("not tested: the packages are built with SESH_SOAK=1 alone");
    }
    with_tool(
        "cargo-deb",
        "cargo install cargo-deb",
        "plugin/packaging/deb --output dist/test.deb
         dpkg-deb --contents dist/test.deb >dist/test.contents
         grep -q 'usr/bin/sesh-list -> tmux-sesh' dist/test.contents
         grep -q 'usr/share/man/man1/sesh-list.1.gz' dist/test.contents
         grep -q 'usr/share/tmux-sesh/plugin/uninstall' dist/test.contents
         grep -q 'usr/share/bash-completion/completions/sesh-list' dist/test.contents
         rm -rf dist/test.deb dist/test.contents dist/deb",
    );
    with_tool(
        "ruby",
        "apt-get install ruby",
        "ruby -wc plugin/packaging/tmux-sesh.rb",
    );
    with_tool(
        "brew",
        "brew.sh",
        "brew style plugin/packaging/tmux-sesh.rb",
    );
    // It needs pacman even for this, and refuses root.
    with_tool(
        "pacman",
        "apt-get install makepkg pacman-package-manager",
        "made=$(mktemp -d); cp plugin/packaging/PKGBUILD \"$made\"; chmod -R a+rwX \"$made\"
         as=''; [ \"$(id -u)\" != 0 ] || as='setpriv --reuid=65534 --regid=65534 --clear-groups'
         (cd \"$made\" && HOME=$made $as makepkg --printsrcinfo >info && grep -q 'pkgbase = tmux-sesh' info)
         rm -rf \"$made\"",
    );
    with_tool(
        "nix-instantiate",
        "apt-get install nix-bin",
        "nix-instantiate --parse plugin/packaging/flake.nix >/dev/null",
    );
    with_tool(
        "cargo",
        "rustup.rs",
        "cargo package --locked --allow-dirty --quiet
         size=$(cat target/package/tmux-sesh-*.crate | wc -c)
         [ \"$size\" -lt 1500000 ]",
    );
}
