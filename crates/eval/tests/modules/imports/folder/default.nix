{ imports = [ ../leaf.nix ]; fileSystems."/".options = [ "folder" ]; }
