# Fragments that `disko-advise tuning` printed, each imported beside the layout that it was made for.
{
  pkgs,
  disko,
  # A folder for each case, with `disko.nix` and `tuning.nix`.
  cases,
}:
let
  inherit (pkgs) lib;

  call =
    value:
    if builtins.isFunction value then
      value (builtins.intersectAttrs (builtins.functionArgs value) { inherit lib; })
    else
      value;

  # The options that a fragment defines: path and definition.
  definitions =
    path: value:
    if builtins.isAttrs value && value._type or null == null then
      lib.concatLists (lib.mapAttrsToList (name: definitions (path ++ [ name ])) value)
    else
      [ { inherit path value; } ];

  # What a person might have written instead: another value of the same type.
  other =
    value:
    if builtins.isBool value then
      !value
    else if builtins.isInt value then
      value + 1
    else
      "none";

  judge =
    name: folder:
    let
      defined = definitions [ ] (import (folder + "/tuning.nix") { inherit lib; });
      plain = map (it: it // { value = it.value.content or it.value; }) defined;
      scalars = lib.filter (it: !builtins.isList it.value) plain;
      layout = call (import (folder + "/disko.nix"));
      config =
        modules:
        (import ./host.nix {
          inherit pkgs disko;
          modules = [ layout ] ++ modules;
        }).config;
      # Of options that nobody sets there may be no value.
      unset = modules: map (it: lib.attrByPath it.path null (config modules)) defined;
      read = config: map (it: lib.getAttrFromPath it.path config) defined;
      set = change: map (it: lib.setAttrByPath it.path (change it.value));
      tuning = folder + "/tuning.nix";
    in
    {
      inherit name;
      options = map (it: lib.showOption it.path) defined;
      wanted = map (it: it.value) plain;
      imported = read (config [ tuning ]);
      byModule = read (config [
        {
          disko.advise.tuning.enable = true;
          disko.advise.tuning.file = tuning;
        }
      ]);
      # Not enabled, so nothing is set.
      withoutEnable = unset [ { disko.advise.tuning.file = tuning; } ] == unset [ ];
      # NixOS's own defaults give way, the person's values do not, and neither collides.
      overDefaults = read (config ([ tuning ] ++ set (value: lib.mkDefault (other value)) scalars));
      underPerson = map (
        it: lib.getAttrFromPath it.path (config ([ tuning ] ++ set other scalars))
      ) scalars;
      person = map (it: other it.value) scalars;
      # A wrong type in what nobody reads would pass, so all that NixOS makes of the settings is made.
      rendered =
        (config [ tuning ]).system.build.toplevel.drvPath != (config [ ]).system.build.toplevel.drvPath;
      # Everything else stays as it is.
      mounts =
        let
          mounts = config: {
            inherit (config) fileSystems swapDevices;
          };
        in
        mounts (config [ tuning ]) == mounts (config [ ]);
    };
in
lib.mapAttrsToList (name: _: judge name (/. + cases + "/${name}")) (builtins.readDir (/. + cases))
