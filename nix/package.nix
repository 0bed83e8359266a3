# The program, its manual pages and its shell completions.
{
  lib,
  rustPlatform,
  makeBinaryWrapper,
  gitMinimal,
  path,
  # What evaluates layouts when `--lib` names nothing else. Only this folder of nixpkgs comes along,
  # not the whole tree. `null` leaves it to what is built in.
  nixpkgsLib ? builtins.path {
    name = "nixpkgs-lib";
    path = path + "/lib";
  },
}:
let
  root = ../.;

  # What the program and its tests are made of. A change of anything else does not build it anew.
  wanted = [
    ".cargo"
    "Cargo.lock"
    "Cargo.toml"
    "clippy.toml"
    "crates"
    "docs"
    "examples"
    "rustfmt.toml"
    "tests"
    "xtask"
  ];
  unwanted = [
    "tests/nix"
    "tests/nixpkgs-stand-in"
  ];
  # What tests compare with the program, of the folder that this file is in.
  compared = [
    "nix"
    "nix/options-declared.json"
    "nix/options-read.json"
    "nix/rules.json"
    "nix/workloads.nix"
  ];
in
rustPlatform.buildRustPackage {
  pname = "disko-advise";
  inherit ((builtins.fromTOML (builtins.readFile ../Cargo.toml)).workspace.package) version;

  src = builtins.path {
    name = "disko-advise-source";
    path = root;
    filter =
      file: _:
      let
        below = builtins.substring (builtins.stringLength (toString root) + 1) (-1) file;
        top = builtins.head (builtins.split "/" below);
      in
      builtins.elem top wanted && !builtins.elem below unwanted || builtins.elem below compared;
  };

  cargoLock.lockFile = ../Cargo.lock;

  nativeBuildInputs = [ makeBinaryWrapper ];
  nativeCheckInputs = [ gitMinimal ];

  cargoBuildFlags = [
    "--package"
    "disko-advise-cli"
  ];
  cargoTestFlags = [ "--workspace" ];

  # The program describes itself, so it has to run here: no cross-compiling.
  postInstall = ''
    bin=$out/bin/disko-advise
    mkdir -p $out/share/man/man1 $out/share/bash-completion/completions \
      $out/share/fish/vendor_completions.d $out/share/zsh/site-functions
    $bin man $out/share/man/man1
    $bin completions bash > $out/share/bash-completion/completions/disko-advise.bash
    $bin completions fish > $out/share/fish/vendor_completions.d/disko-advise.fish
    $bin completions zsh > $out/share/zsh/site-functions/_disko-advise
  ''
  + (
    if nixpkgsLib == null then
      ""
    else
      ''
        wrapProgram $bin --set-default DISKO_ADVISE_LIB ${nixpkgsLib}
      ''
  );

  meta = {
    description = "Storage-tuning advice for NixOS, from the disko layout and what the machine says of itself";
    license = lib.licenses.mit;
    mainProgram = "disko-advise";
    platforms = [
      "x86_64-linux"
      "aarch64-linux"
    ];
  };
}
