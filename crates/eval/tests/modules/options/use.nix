{ lib, ... }:
{
  storage = {
    device = lib.mkDefault "/dev/use";
    lines = lib.mkMerge [ "use-a" (lib.mkBefore "use-b") ];
    sizes = { a = "1"; b = lib.mkForce 2; };
    either = [ "x" ];
    coerced = 7;
    replaced = lib.mkDefault { a = "x"; };
    applied = lib.mkAfter [ "use" ];
    unset = lib.mkMerge [ [ 1 ] [ 2 ] ];
    disks.b = { };
    disks.a = { parts = [ { tag = "t1"; } { tag = "t2"; size = lib.mkDefault "2G"; } ]; };
  };
}
