# The phases of buildRustPackage with the host's cargo and the crates that it has in its cache. Builds the
# profile `dev`, which takes a fraction of the time.
mkdir -p "$out/bin"
if [ -n "$binary" ]; then
  install -m 755 "$binary" "$out/bin/"
  strip --strip-debug "$out/bin/"* || true
else
  export HOME="$home"
  export CARGO_TARGET_DIR="${targetDir:-$NIX_BUILD_TOP/target}"
  cp -r "$src" source
  chmod -R u+w source
  cd source
  cargo build --offline --locked --quiet $cargoBuildFlags
  cargo test --offline --locked $cargoTestFlags
  install -m 755 "$CARGO_TARGET_DIR/debug/$pname" "$out/bin/"
fi
eval "$postInstall"
