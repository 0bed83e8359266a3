options: {
  kind = "ext4";
  inherit options;
}
