{ lib, ... }:
let
  inline = tag: { fileSystems."/".options = [ "inline-${tag}" ]; };
in
{
  imports = [
    ./folder
    (import ./function.nix { device = "/dev/vda"; })
    (inline "a")
    ({ lib, ... }: { imports = [ ./folder (inline "b") ]; extra.names = lib.attrNames { z = 1; y = 2; }; })
    { imports = [ ./leaf.nix ]; config.extra.from = "config"; }
  ] ++ lib.optional false ./missing.nix ++ map (name: ./. + "/${name}.nix") [ "leaf" ];
  fileSystems."/".options = [ "main" ];
}
