# What packages ask of `lib` where nixpkgs' own is not at hand.
{
  licenses.mit = {
    spdxId = "MIT";
  };
}
