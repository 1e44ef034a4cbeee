# nix profile install 'github:OWNER/tmux-sesh?dir=plugin/packaging'
{
  description = "See, reach, message and wait for every coding agent in your tmux";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { nixpkgs, ... }:
    let
      source = ../..;
      manifest = builtins.fromTOML (builtins.readFile (source + "/Cargo.toml"));
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ];
      package =
        pkgs:
        pkgs.rustPlatform.buildRustPackage {
          pname = manifest.package.name;
          version = manifest.package.version;
          src = source;
          cargoLock.lockFile = source + "/Cargo.lock";
          cargoBuildFlags = [
            "--bin"
            "tmux-sesh"
          ];
          # The tests start tmux servers and agents.
          doCheck = false;
          # One program and its links, not a program for each helper.
          installPhase = ''
            runHook preInstall
            sh bin/install --program target/${pkgs.stdenv.hostPlatform.rust.cargoShortTarget}/release/tmux-sesh \
              --prefix "$out" --with-plugin
            runHook postInstall
          '';
          meta = {
            description = manifest.package.description;
            homepage = manifest.package.repository;
            license = pkgs.lib.licenses.mit;
            mainProgram = "tmux-sesh";
            platforms = systems;
          };
        };
    in
    {
      packages = nixpkgs.lib.genAttrs systems (system: {
        default = package nixpkgs.legacyPackages.${system};
      });
    };
}
