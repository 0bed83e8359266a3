# The page of the module's options, made by evaluating the module itself.
#
# Takes nixpkgs' `lib`; `nix eval --raw --impure --expr 'import ./nix/options-doc.nix { lib = …; }'` prints it.
{ lib }:
let
  # Nothing of a system is needed: each default that depends on one has a text of its own.
  evaluated = lib.evalModules {
    class = "nixos";
    modules = [
      ../modules/nixos.nix
      {
        _module.check = false;
        _module.args.pkgs = { };
      }
    ];
  };

  options = lib.filter (option: option.visible && !option.internal) (
    lib.optionAttrSetToDocList evaluated.options.disko.advise
  );

  # `{option}`name`` and `{manpage}`name`` are code here.
  text =
    value:
    lib.replaceStrings
      [
        "{option}"
        "{manpage}"
      ]
      [
        ""
        ""
      ]
      (lib.trim (value.text or value));

  # Nix code, on a line or in a block.
  code =
    label: value:
    let
      shown = text value;
    in
    if lib.hasInfix "\n" shown then
      "${label}:\n\n```nix\n${shown}\n```\n"
    else
      "${label}: `${shown}`\n";

  section =
    option:
    lib.concatStringsSep "\n" (
      [
        "## `${option.name}`\n"
        "${text option.description}\n"
        "Type: `${option.type}`${lib.optionalString option.readOnly ", read-only"}\n"
      ]
      ++ lib.optional (option ? default) (code "Default" option.default)
      ++ lib.optional (option ? example) (code "Example" option.example)
    );
in
''
  # Options of the NixOS module

  Made from `modules/` by `nix/options-doc.nix`; a test holds it to them.

  ${lib.concatMapStringsSep "\n" section options}''
