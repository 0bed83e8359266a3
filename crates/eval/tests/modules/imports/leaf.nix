{ lib, ... }: { fileSystems."/".options = lib.mkIf true [ "leaf" ]; }
