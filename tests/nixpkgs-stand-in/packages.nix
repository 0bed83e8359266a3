{
  lib,
  # nixpkgs' folder `lib`, or null.
  folder,
  system,
}:
let
  hostPath = builtins.getEnv "PATH";
  binary = builtins.getEnv "STAND_IN_BINARY";

  derive =
    name: attributes: script:
    derivation (
      {
        inherit name system script;
        builder = "/bin/bash";
        args = [ ./builder.sh ];
        inherit hostPath;
      }
      // attributes
    );

  # A package whose programs are on the machine's own PATH.
  ofTheHost = name: derive name { } ''mkdir "$out"'';

  packages = {
    inherit lib system;
    stdenv.hostPlatform = { inherit system; };

    # Arguments of the function by their names, as nixpkgs does it.
    callPackage =
      file: overrides:
      let
        function = if builtins.isFunction file then file else import file;
        call =
          more:
          function (builtins.intersectAttrs (builtins.functionArgs function) packages // overrides // more);
        made = call { };
      in
      made // { override = call; };

    runCommand =
      name: attributes: script:
      derive name attributes script;

    writeText =
      name: text:
      derive name {
        inherit text;
        passAsFile = [ "text" ];
      } ''cp "$textPath" "$out"'';

    writeTextDir =
      path: text:
      derive (baseNameOf path)
        {
          inherit text path;
          passAsFile = [ "text" ];
        }
        ''
          mkdir -p "$out/$(dirname "$path")"
          cp "$textPath" "$out/$path"
        '';

    writeShellScript =
      name: text:
      derive name {
        text = "#!/bin/bash\n" + text;
        passAsFile = [ "text" ];
      } ''install -m 755 "$textPath" "$out"'';

    writeShellApplication =
      { name, text }:
      derive name {
        text = "#!/bin/bash\nset -o errexit -o nounset -o pipefail\n" + text;
        passAsFile = [ "text" ];
      } ''install -D -m 755 "$textPath" "$out/bin/$name"''
      // {
        meta.mainProgram = name;
      };

    # What is on the machine already: nothing has to be installed.
    btrfs-progs = ofTheHost "btrfs-progs";
    coreutils = ofTheHost "coreutils";
    cryptsetup = ofTheHost "cryptsetup";
    nvme-cli = ofTheHost "nvme-cli";
    smartmontools = ofTheHost "smartmontools";
    sysstat = ofTheHost "sysstat";
    util-linux = ofTheHost "util-linux";
    zfs = ofTheHost "zfs";

    rustPlatform.buildRustPackage =
      {
        pname,
        version,
        src,
        nativeBuildInputs ? [ ],
        cargoBuildFlags ? [ ],
        cargoTestFlags ? [ ],
        postInstall ? "",
        meta ? { },
        ...
      }:
      derive "${pname}-${version}" {
        inherit
          pname
          src
          nativeBuildInputs
          cargoBuildFlags
          cargoTestFlags
          postInstall
          ;
        home = builtins.getEnv "HOME";
        targetDir = builtins.getEnv "STAND_IN_CARGO_TARGET_DIR";
        # Its hash makes the derivation another one when the program is.
        inherit binary;
        binaryHash = if binary == "" then "" else builtins.hashFile "sha256" (/. + binary);
      } (builtins.readFile ./build-rust.sh)
      // {
        inherit pname version meta;
      };

    # Sourced by builds that name it among their inputs.
    makeBinaryWrapper = builtins.toFile "make-wrapper.sh" (builtins.readFile ./make-wrapper.sh);
    gitMinimal = builtins.toFile "git-of-the-host" "";

    nixfmt-tree = derive "nixfmt-tree" { } ''
      echo "the stand-in has no formatter" >&2
      exit 1
    '';
  }
  # The tree itself when there is one; what is built into the program otherwise.
  // (
    if folder == null then
      {
        nixpkgsLib = null;
        path = null;
      }
    else
      { path = dirOf folder; }
  );
in
packages
