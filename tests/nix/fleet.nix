# What `mkFleetCheck` makes of two hosts.
{ pkgs, disko }:
let
  inherit (pkgs) lib;
  advise = import ../../nix/lib.nix;
  host =
    modules:
    import ./host.nix {
      inherit pkgs disko;
      modules = [ ../../examples/laptop/disko.nix ] ++ modules;
    };
  hosts = {
    first = host [ ];
    second = host [ { disko.advise.failOn = "never"; } ];
  };
  fleet = hosts: advise.mkFleetCheck { inherit pkgs hosts; };
  made = fleet hosts;
  after = fleet (hosts // { first = host [ { services.xserver.enable = true; } ]; });
  # The derivations that one needs, by their names in the store.
  needs = one: lib.attrNames (builtins.getContext (builtins.toJSON one.drvAttrs.list));
in
{
  names = lib.attrNames made;
  # Of a host that stays as it is nothing is built again.
  changed = lib.filter (name: made.${name}.drvPath != after.${name}.drvPath) (lib.attrNames hosts);
  # The summary is made of the reports, and of nothing else.
  needed = lib.filter (
    name:
    lib.elem (builtins.unsafeDiscardStringContext made.fleet.reports.${name}.drvPath) (needs made.fleet)
  ) (lib.attrNames hosts);
  # What `hostFacts` gave is as good as the whole system.
  fromFacts = (fleet { first = advise.hostFacts hosts.first; }).first.drvPath == made.first.drvPath;
  # The name of the summary is no host's.
  reserved =
    (builtins.tryEval (fleet {
      fleet = hosts.first;
    })).success;
}
